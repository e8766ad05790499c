package aggregate

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/seed2385d973/mailauth/dmarc/internal/mimepart"
	"github.com/seed2385d973/mailauth/internal/address"
)

// counter counts what comes through, and refuses more than there may be.
type counter struct {
	r     io.Reader
	n     int64
	limit int64
	over  error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.n += int64(n); c.n > c.limit {
		return 0, c.over
	}
	return n, err
}

// freeExpansion may come out of any archive, whatever its ratio.
const freeExpansion = 64 << 10

// expansion bounds what comes out of a decompressor by what went in.
type expansion struct {
	r     io.Reader
	in    *int64
	out   int64
	ratio int64
}

func (e *expansion) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if e.out += int64(n); e.out > freeExpansion && e.out > *e.in*e.ratio {
		return 0, fmt.Errorf("%w: by more than %d to 1", ErrOutput, e.ratio)
	}
	if err != nil && err != io.EOF {
		var own Error
		if !errors.As(err, &own) && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || isCorrupt(err)) {
			err = fmt.Errorf("%w: %w", ErrArchive, err)
		}
	}
	return n, err
}

func isCorrupt(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.As(err, &corrupt)
}

// open finds the XML in what in yields. What it returns is bounded.
func (r *Reader) open(in io.Reader) (io.Reader, error) {
	c := &counter{r: in, limit: r.limits.Input, over: ErrInput}
	b := bufio.NewReaderSize(c, 16<<10)
	xml, err := r.sniff(b, &c.n)
	if err != nil {
		return nil, err
	}
	return &counter{r: xml, limit: r.limits.Output, over: ErrOutput}, nil
}

func (r *Reader) sniff(b *bufio.Reader, n *int64) (io.Reader, error) {
	if err := r.trim(b); err != nil {
		return nil, err
	}
	head, err := b.Peek(4)
	switch {
	case err != nil && err != io.EOF:
		return nil, err
	case isGzip(head):
		return r.gunzip(b, n)
	case isZip(head):
		data, err := io.ReadAll(b)
		if err != nil {
			return nil, err
		}
		return r.unzip(data)
	case len(head) > 0 && head[0] == '<' || bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return b, nil
	case len(head) == 0:
		return nil, ErrNoReport
	}
	data, err := io.ReadAll(b)
	if err != nil {
		return nil, err
	}
	return r.mail(data)
}

// trim skips white space in front: some senders encode a line end before the archive.
func (r *Reader) trim(b *bufio.Reader) error {
	for skipped := false; ; skipped = true {
		c, err := b.ReadByte()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !isSpace(c) {
			b.UnreadByte()
			if skipped {
				return r.warn(JunkAround, "")
			}
			return nil
		}
	}
}

func isGzip(b []byte) bool { return len(b) > 1 && b[0] == 0x1f && b[1] == 0x8b }
func isZip(b []byte) bool  { return bytes.HasPrefix(b, []byte("PK\x03\x04")) }

// gunzip streams gzip (RFC 1952, section 2.2). Members may follow each other.
func (r *Reader) gunzip(b *bufio.Reader, n *int64) (io.Reader, error) {
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrArchive, err)
	}
	z.Multistream(false)
	return &expansion{r: &members{report: r, in: b, z: z}, in: n, ratio: r.limits.Ratio}, nil
}

// members reads one gzip member after the other, and tells another one from junk
// behind the last.
type members struct {
	report *Reader
	in     *bufio.Reader
	z      *gzip.Reader
	err    error
}

func (m *members) Read(p []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	n, err := m.z.Read(p)
	if err == nil {
		return n, nil
	}
	if err == io.EOF {
		head, peekErr := m.in.Peek(2)
		switch {
		case isGzip(head):
			if err = m.z.Reset(m.in); err == nil {
				m.z.Multistream(false)
				return n, nil
			}
		case len(head) == 0 && peekErr == io.EOF:
		case len(head) == 0:
			err = peekErr
		default:
			if _, err = io.Copy(io.Discard, m.in); err == nil {
				if err = m.report.warn(JunkAround, ""); err == nil {
					err = io.EOF
				}
			}
		}
	}
	m.err = err
	return n, err
}

// maxEntries bounds the entries of a zip archive: a report is one file.
const maxEntries = 16

// unzip finds the one XML file in an archive. Only the central directory is
// believed; names, dates and the sizes of what comes out are not.
func (r *Reader) unzip(data []byte) (io.Reader, error) {
	bad := func(what string) (io.Reader, error) { return nil, fmt.Errorf("%w: %s", ErrArchive, what) }
	const entrySize, localSize = 46, 30
	end := endOfDirectory(data)
	if end < 0 {
		return bad("no central directory")
	}
	le16, le32 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32
	n, at := int(le16(data[end+10:])), int64(le32(data[end+16:]))
	if n > maxEntries {
		return bad("too many entries")
	}
	if rest := data[end+endSize:]; len(rest) != int(le16(data[end+20:])) {
		if err := r.warn(JunkAround, ""); err != nil {
			return nil, err
		}
	}
	var found []byte
	var method uint16
	var sum uint32
	for range n {
		if at < 0 || at+entrySize > int64(end) || string(data[at:at+4]) != "PK\x01\x02" {
			return bad("central directory")
		}
		e := data[at:]
		flags, m := le16(e[8:]), le16(e[10:])
		size, offset := int64(le32(e[20:])), int64(le32(e[42:]))
		at += entrySize + int64(le16(e[28:])) + int64(le16(e[30:])) + int64(le16(e[32:]))
		if size == 0 {
			continue // a folder
		}
		if offset+localSize > int64(end) || string(data[offset:offset+4]) != "PK\x03\x04" {
			return bad("local header")
		}
		l := data[offset:]
		from := offset + localSize + int64(le16(l[26:])) + int64(le16(l[28:]))
		if from+size > int64(end) {
			return bad("size of an entry")
		}
		if flags&1 != 0 {
			return bad("encrypted")
		}
		content := data[from : from+size]
		if !r.beginsXML(content, m) {
			continue
		}
		if found != nil {
			return bad("more than one XML file")
		}
		found, method, sum = content, m, le32(e[16:])
	}
	if found == nil {
		return bad("no XML file in it")
	}
	in := int64(len(found))
	return &expansion{r: &summed{r: inflate(found, method), want: sum}, in: &in, ratio: r.limits.Ratio}, nil
}

const endSize = 22 // of the record at the end of a zip file, without its comment

// endOfDirectory finds that record: the last one whose comment ends with the file,
// or else, with junk behind it, the last one; -1 if there is none.
func endOfDirectory(data []byte) int {
	from := max(0, len(data)-endSize-1<<16)
	last := -1
	for tail := data[from:]; ; {
		at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
		if at < 0 {
			return last
		}
		if rest := data[from+at:]; len(rest) >= endSize {
			if len(rest)-endSize == int(binary.LittleEndian.Uint16(rest[20:])) {
				return from + at
			}
			last = max(last, from+at)
		}
		tail = tail[:at]
	}
}

// summed checks what comes out of a zip entry against its checksum, as gzip does by itself.
type summed struct {
	r         io.Reader
	sum, want uint32
}

func (s *summed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.sum = crc32.Update(s.sum, crc32.IEEETable, p[:n])
	if err == io.EOF && s.sum != s.want {
		err = fmt.Errorf("%w: checksum", ErrArchive)
	}
	return n, err
}

func inflate(content []byte, method uint16) io.Reader {
	if method == 8 {
		return flate.NewReader(bytes.NewReader(content))
	}
	return bytes.NewReader(content)
}

// beginsXML looks at the beginning of an entry.
func (r *Reader) beginsXML(content []byte, method uint16) bool {
	if method != 0 && method != 8 {
		return false
	}
	var head [64]byte
	n, _ := io.ReadFull(inflate(content, method), head[:])
	return looksLikeXML(head[:n])
}

func looksLikeXML(b []byte) bool {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n")
	return len(b) > 1 && b[0] == '<'
}

// isReport: whatever its type, a part that begins with the root element is a report.
func isReport(b []byte, mediaType string) bool {
	declared := mediaType == "text/xml" || mediaType == "application/xml"
	return looksLikeXML(b) && (declared || bytes.Contains(b[:min(len(b), 2<<10)], []byte("feedback")))
}

// mail finds the report among the parts of a message, by what they contain.
func (r *Reader) mail(data []byte) (io.Reader, error) {
	msg, err := mimepart.Parse(data)
	if err != nil {
		if errors.Is(err, mimepart.ErrLimit) {
			return nil, fmt.Errorf("%w: %w", ErrLimit, err)
		}
		return nil, fmt.Errorf("%w: neither XML nor an archive nor a mail", ErrNoReport)
	}
	r.subject, r.sender.Domain = msg.Get("Subject"), fromDomain(msg.Get("From"))
	var found []byte
	var kind string
	for i := range msg.Parts {
		part := &msg.Parts[i]
		if part.Type == "text/html" {
			continue
		}
		body, err := part.Decode()
		if err != nil {
			continue // a part that cannot be decoded holds no report
		}
		trimmed := bytes.TrimLeft(body, " \t\r\n")
		if !isGzip(trimmed) && !isZip(trimmed) && !isReport(trimmed, part.Type) {
			continue
		}
		if found != nil {
			if err := r.warn(MoreReports, ""); err != nil {
				return nil, err
			}
			break
		}
		found, kind = body, part.Type
	}
	if found == nil {
		return nil, fmt.Errorf("%w: no part of the mail is one", ErrNoReport)
	}
	in := int64(0)
	b := bufio.NewReaderSize(&counter{r: bytes.NewReader(found), limit: r.limits.Input, over: ErrInput}, 16<<10)
	if err := r.trim(b); err != nil {
		return nil, err
	}
	head, _ := b.Peek(4)
	want := "text/xml"
	if isGzip(head) {
		want = "application/gzip"
	}
	if kind != want {
		if err := r.warn(WrongMediaType, ""); err != nil {
			return nil, err
		}
	}
	switch in = int64(len(found)); {
	case isGzip(head):
		return r.gunzip(b, &in)
	case isZip(head):
		rest, err := io.ReadAll(b)
		if err != nil {
			return nil, err
		}
		return r.unzip(rest)
	}
	return b, nil
}

// fromDomain is the domain of the one address of a From field, empty where there
// is not exactly one.
func fromDomain(value string) string {
	list, _, err := address.Parse(nil, value)
	if err != nil || len(list) != 1 {
		return ""
	}
	return list[0].Domain.String()
}
