package svgps

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// The defaults of [Options].
const (
	// DefaultMaxSize is 32 KiB, the draft's section 2 in its usual reading.
	DefaultMaxSize = 32 << 10
	// DefaultMaxCompressed is what a receiver reads from the network for an indicator.
	DefaultMaxCompressed = 64 << 10
	// DefaultMaxDepth is four times the depth of the deepest certified image seen.
	DefaultMaxDepth = 32
	// DefaultMaxElements is more than 32 KiB can hold in practice; it counts when MaxSize is raised.
	DefaultMaxElements = 10_000
	// DefaultMaxAttributes is above the largest number an element of the profile can have.
	DefaultMaxAttributes = 64
	// DefaultMaxExpansion bounds the work of whoever draws the image.
	DefaultMaxExpansion = 10_000
)

// Limits that are not options.
const (
	maxListed     = 32       // findings listed of each severity
	maxBindings   = 64       // namespace declarations in scope
	maxUseDepth   = 16       // uses of uses
	maxTitle      = 64       // characters, the draft's section 2
	maxRatio      = 200      // gzip, for output beyond freeExpansion
	freeExpansion = 32 << 10 // below this the output limit itself bounds the ratio
	maxName       = 40       // octets of a stranger's name that a finding repeats
	minPixels     = 96       // width and height, as receivers want them
	maxNumber     = 32       // octets of a number in viewBox, width or height
)

// Profile says how the findings of the profile tier count.
type Profile uint8

const (
	// Strict, the zero value, is the schema of the draft's section 7 and the rules of its section 2.
	Strict Profile = iota
	// Lenient makes warnings of profile findings that are known to be inert:
	// static elements and attributes of full SVG, style without references,
	// prefixed editor data, missing title or version.
	Lenient
)

// Options says how an image is judged. The zero value is the strict profile
// with the default limits.
type Options struct {
	Profile Profile

	// Limits; zero or less means the default of the same name.
	MaxSize       int // octets, uncompressed
	MaxCompressed int // octets, when compressed
	MaxDepth      int // elements inside one another, the root counted
	MaxElements   int
	MaxAttributes int // on one element, namespace declarations counted
	MaxExpansion  int // elements drawn once every use is followed

	// Raise lists findings that count as errors although they would be warnings.
	Raise []Error
}

// Gmail returns the options that come nearest to what Gmail is known to demand
// beyond the draft: absolute width and height of at least 96 pixels where they
// are given, and a square image.
func Gmail() Options { return Options{Raise: []Error{ErrRelative, ErrSmall, ErrNotSquare}} }

// Apple returns the options that come nearest to what Apple is known to demand
// beyond the draft: no relative width or height.
func Apple() Options { return Options{Raise: []Error{ErrRelative}} }

// Fastmail returns the options that come nearest to what Fastmail is known to
// demand beyond the draft: 16 KiB.
func Fastmail() Options { return Options{MaxSize: 16 << 10} }

// Severity says whether a finding refuses the image.
type Severity uint8

const (
	// SeverityWarning: the image is accepted all the same. The zero value.
	SeverityWarning Severity = iota
	// SeverityError: the image is refused.
	SeverityError
)

// String returns "warning" or "error".
func (s Severity) String() string {
	switch s {
	case SeverityWarning:
		return "warning"
	case SeverityError:
		return "error"
	}
	return "Severity(" + strconv.Itoa(int(s)) + ")"
}

// Tier says which part of the check a finding comes from.
type Tier uint8

const (
	// TierAdvice is what makes an image look well or show at more receivers. The zero value.
	TierAdvice Tier = iota
	// TierProfile is SVG Tiny Portable/Secure beyond its security.
	TierProfile
	// TierSecurity always refuses the image.
	TierSecurity
)

// String returns "advice", "profile" or "security".
func (t Tier) String() string {
	switch t {
	case TierAdvice:
		return "advice"
	case TierProfile:
		return "profile"
	case TierSecurity:
		return "security"
	}
	return "Tier(" + strconv.Itoa(int(t)) + ")"
}

// Finding is one thing that is wrong with an image.
type Finding struct {
	Severity Severity
	Tier     Tier
	Err      Error  // what is wrong: one of this package's constants
	Line     int    // 1 for the first line; 0 if the finding is not about a place
	Column   int    // in characters, 1 for the first; 0 if the finding is not about a place
	Where    string // element or element@attribute, as printable ASCII; "" if none
	Detail   string // more about this case, as printable ASCII; "" if none
}

// String returns place, finding and advice as one line of printable ASCII.
func (f Finding) String() string {
	s := f.place()
	if a := f.Err.Advice(); a != "" {
		s += " (" + a + ")"
	}
	return s
}

func (f Finding) place() string {
	s := ""
	if f.Line > 0 {
		s = "line " + strconv.Itoa(f.Line) + ", column " + strconv.Itoa(f.Column) + ": "
	}
	if f.Where != "" {
		s += f.Where + ": "
	}
	s += string(f.Err)
	if f.Detail != "" {
		s += ": " + f.Detail
	}
	return s
}

// Result is the verdict on one image. The zero value is none, and not OK.
type Result struct {
	// Err is nil exactly if the image is accepted; otherwise it names the first
	// error, and its root is a constant of this package.
	Err error

	// SVG is the uncompressed image, unchanged, of an accepted image; nil
	// otherwise. It aliases the input if that was not compressed.
	SVG []byte

	Findings   []Finding  // in the order found: at most 32 errors and 32 warnings
	Compressed bool       // the input was gzip
	Size       int        // octets uncompressed, 0 if a compressed one could not be read
	Elements   int        // elements read
	Depth      int        // greatest depth of elements read
	Title      string     // text of the title without white space around it, unescaped; a stranger's text
	ViewBox    [4]float64 // of the root: min-x, min-y, width, height; zero if missing or not four numbers
}

// OK reports whether the image is accepted.
func (r Result) OK() bool { return r.Err == nil && len(r.SVG) > 0 }

// Warnings returns the findings that did not refuse the image.
func (r Result) Warnings() []Finding {
	var w []Finding
	for _, f := range r.Findings {
		if f.Severity == SeverityWarning {
			w = append(w, f)
		}
	}
	return w
}

// Check judges an image: SVG text, or SVG text in one gzip member (SVGZ). It
// neither keeps nor changes data, and is safe for concurrent use.
//
// It implements draft-svg-tiny-ps-abrotman-12, sections 2 and 7, and what
// draft-brand-indicators-for-message-identification-14, section 7.6 leaves to
// the receiver.
func Check(data []byte, o Options) Result {
	c := checker{o: o.withDefaults()}
	c.run(data)
	r := Result{
		Findings:   c.findings,
		Compressed: c.compressed,
		Size:       len(c.data),
		Elements:   len(c.nodes),
		Depth:      c.maxDepth,
		Title:      string(bytes.TrimSpace(c.title)),
		ViewBox:    c.viewBox,
	}
	if !c.compressed {
		r.Size = len(data)
	}
	for _, f := range c.findings {
		if f.Severity == SeverityError {
			r.Err = fmt.Errorf("svg: %s%w", f.before(), f.Err)
			if f.Detail != "" {
				r.Err = fmt.Errorf("%w: %s", r.Err, f.Detail)
			}
			return r
		}
	}
	r.SVG = c.data
	return r
}

// before is what an error message says ahead of the constant's text.
func (f Finding) before() string {
	f.Err, f.Detail = "", ""
	return f.place()
}

func (o Options) withDefaults() Options {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&o.MaxSize, DefaultMaxSize)
	def(&o.MaxCompressed, DefaultMaxCompressed)
	def(&o.MaxDepth, DefaultMaxDepth)
	def(&o.MaxElements, DefaultMaxElements)
	o.MaxElements = min(o.MaxElements, math.MaxInt32)
	def(&o.MaxAttributes, DefaultMaxAttributes)
	def(&o.MaxExpansion, DefaultMaxExpansion)
	return o
}

// severity is where tiers, profile and Raise meet. inert says that the finding
// is known to be harmless.
func (o *Options) severity(e Error, inert bool) Severity {
	switch e.tier() {
	case TierSecurity:
		return SeverityError
	case TierProfile:
		if o.Profile != Lenient || !inert {
			return SeverityError
		}
	}
	if slices.Contains(o.Raise, e) {
		return SeverityError
	}
	return SeverityWarning
}
