package svgps

import (
	"bytes"
	"compress/gzip"
	"io"
)

// uncompressed returns the image as text: data itself, or what its one gzip
// member holds (RFC 1952, section 2.2). Nothing beyond the limit is ever
// decompressed.
func (c *checker) uncompressed(data []byte) ([]byte, bool) {
	refuse := func(e Error, detail string) ([]byte, bool) {
		c.note(e, -1, place{}, detail, false)
		return nil, false
	}
	if !isGzip(data) {
		if len(data) > c.o.MaxSize {
			return refuse(ErrSize, "")
		}
		return data, true
	}
	c.compressed = true
	if len(data) > c.o.MaxCompressed {
		return refuse(ErrSize, "compressed")
	}
	in := bytes.NewReader(data)
	z, err := gzip.NewReader(in)
	if err != nil {
		return refuse(ErrGzip, "")
	}
	z.Multistream(false)
	limit := int64(c.o.MaxSize)
	if limit > freeExpansion {
		limit = max(freeExpansion, min(limit, maxRatio*int64(len(data))))
	}
	var out bytes.Buffer
	n, err := out.ReadFrom(io.LimitReader(z, limit+1))
	switch {
	case n > int64(c.o.MaxSize):
		return refuse(ErrSize, "uncompressed")
	case n > limit:
		return refuse(ErrGzip, "expands too much")
	case err != nil:
		return refuse(ErrGzip, "")
	case in.Len() > 0:
		return refuse(ErrGzip, "more than one member")
	case isGzip(out.Bytes()):
		return refuse(ErrGzip, "compressed twice")
	}
	return out.Bytes(), true
}

func isGzip(data []byte) bool { return len(data) > 1 && data[0] == 0x1f && data[1] == 0x8b }
