package svgps_test

import (
	"errors"
	"fmt"

	"github.com/seed2385d973/mailauth/bimi/svgps"
)

func ExampleCheck() {
	svg := []byte(`<svg xmlns="http://www.w3.org/2000/svg" version="1.2" baseProfile="tiny-ps" viewBox="0 0 100 100">
  <title>Example</title>
  <rect width="100" height="100" fill="#ffcc00"/>
  <circle cx="50" cy="50" r="40" onclick="alert(1)"/>
</svg>`)
	r := svgps.Check(svg, svgps.Options{})
	fmt.Println(r.Err)
	fmt.Println(errors.Is(r.Err, svgps.ErrActive), r.SVG == nil)
	for _, f := range r.Warnings() {
		fmt.Println(f)
	}
	// Output:
	// svg: line 4, column 34: circle@onclick: active, linked or embedded content
	// true true
	// line 1, column 1: svg: no width or height: no width (some receivers want absolute width and height of at least 96 pixels)
	// line 1, column 1: svg: no width or height: no height (some receivers want absolute width and height of at least 96 pixels)
}

// A receiver that only wants to be safe, and shows images that the profile
// would refuse.
func ExampleCheck_lenient() {
	svg := []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10" width="96" height="96"><rect opacity="0.5"/></svg>`)
	r := svgps.Check(svg, svgps.Options{Profile: svgps.Lenient})
	fmt.Println(r.OK(), len(r.Warnings()))
	// Output: true 4
}
