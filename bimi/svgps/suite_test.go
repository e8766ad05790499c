package svgps

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/testcase"
)

// divergences lists the files of the public cases on which we answer otherwise
// than the table's strict verdict, with our answer and the reason. The same
// list is in DIVERGENCES.md.
var divergences = map[string]struct {
	err    error
	reason string
}{
	"own-cdata-markup.svg":     {ErrCDATA, "an HTML parser takes the section for a comment that ends at the first >"},
	"own-comment-mutation.svg": {ErrComment, "an HTML parser ends the comment at once and sees the rest as markup"},
}

// wantCode is, for each reason of the table, the constant that says the same.
var wantCode = map[string]Error{
	"element":                       ErrElement,
	"element-not-allowed-here":      ErrPlacement,
	"root-not-svg-in-svg-namespace": ErrRoot,
	"foreign-element":               ErrForeign,
	"attribute":                     ErrAttribute,
	"attribute-value":               ErrValue,
	"missing":                       ErrRequired,
	"title-missing":                 ErrTitle,
	"title-empty":                   ErrTitle,
	"title-not-first":               ErrTitle,
	"desc-empty":                    ErrDesc,
	"not-well-formed":               ErrDuplicateAttribute,
	"size>32768":                    ErrSize,
	"doctype":                       ErrSubset,
	"entity-decl":                   ErrSubset,
	"external-reference":            ErrReference,
	"WARN:viewBox-commas":           ErrViewBox,
	"WARN:viewBox-not-square":       ErrNotSquare,
	"WARN:no-width":                 ErrNoDimensions,
	"WARN:no-height":                ErrNoDimensions,
	"WARN:relative-width":           ErrRelative,
	"WARN:title>64":                 ErrTitleLength,
}

// sharper lists what we call active or foreign where the table says only that
// it is not listed.
var sharper = map[Error][]Error{
	ErrElement:   {ErrActive},
	ErrAttribute: {ErrActive},
	ErrForeign:   {ErrActive},
}

func TestSuiteCases(t *testing.T) {
	dir := testcase.Corpora(t, "bimi", "svg")
	f, err := os.Open(filepath.Join(dir, "svg-cases.tsv"))
	require.NoError(t, err)
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes = '\t', true
	rows, err := r.ReadAll()
	require.NoError(t, err)
	require.Equal(t, "strict_table_verdict", rows[0][3])
	n := 0
	for _, row := range rows[1:] {
		n++
		t.Run(row[0], func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, "cases", row[0]))
			require.NoError(t, err)
			got := Check(data, Options{})
			if d, ok := divergences[row[0]]; ok {
				require.Equal(t, "accept", row[3], "the table changed: no divergence any more")
				require.ErrorIs(t, got.Err, d.err, d.reason)
				return
			}
			if row[3] == "reject" {
				require.Error(t, got.Err)
				require.Nil(t, got.SVG)
			} else {
				require.Equal(t, "accept", row[3])
				require.NoError(t, got.Err)
				require.Equal(t, data, got.SVG)
			}
			for _, reason := range strings.Split(row[5], ";") {
				key, _, _ := strings.Cut(reason, ":")
				if key == "WARN" {
					key = reason
				}
				if reason == "" || strings.HasPrefix(key, "WARN") && got.Err != nil {
					continue // after an error, warnings are not owed
				}
				want, ok := wantCode[key]
				require.True(t, ok, "unknown reason %q", reason)
				require.True(t, has(got, append([]Error{want}, sharper[want]...)...), "want %s for %q, got %v", want.Code(), reason, got.Findings)
			}
		})
	}
	files, err := os.ReadDir(filepath.Join(dir, "cases"))
	require.NoError(t, err)
	require.Len(t, files, n, "a case without a row")
	testcase.Ran(t, "bimi/svg-cases", n, 61)
}

func has(r Result, want ...Error) bool {
	for _, f := range r.Findings {
		for _, w := range want {
			if f.Err == w {
				return true
			}
		}
	}
	return false
}

// TestSuiteReal reads the images out of real certificates: all but the one of
// a 2019 pre-certificate are to pass, plain and compressed.
func TestSuiteReal(t *testing.T) {
	dir := testcase.Corpora(t, "bimi", "svg", "real")
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	n := 0
	for _, file := range files {
		n++
		t.Run(file.Name(), func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, file.Name()))
			require.NoError(t, err)
			got := Check(data, Options{})
			if file.Name() == "jpmorgan-precert-2019.svg" {
				require.ErrorIs(t, got.Err, ErrValue, "baseProfile tiny")
				require.True(t, has(got, ErrTitle), "no title")
				require.True(t, has(got, ErrAttribute), "x and y on the root")
				return
			}
			require.NoError(t, got.Err)
			require.NotEmpty(t, got.Title)
			require.Equal(t, strings.HasSuffix(file.Name(), ".svgz"), got.Compressed)
			if got.Compressed {
				plain, err := os.ReadFile(filepath.Join(dir, strings.TrimSuffix(file.Name(), "z")))
				require.NoError(t, err)
				require.True(t, bytes.Equal(plain, got.SVG))
			}
		})
	}
	testcase.Ran(t, "bimi/svg-real", n, 8)
}

// TestSuiteMailBIMI runs the indicator cases of Mail::BIMI.
func TestSuiteMailBIMI(t *testing.T) {
	dir := testcase.Corpora(t, "bimi", "mail-bimi")
	var suite struct {
		Indicator []struct {
			Title, File, Uncompressed, Option string
			Errors                            []string
			MaxSize                           int `json:"max_size"`
			Valid                             *bool
		}
	}
	testcase.ReadJSON(t, filepath.Join(dir, "cases.json"), &suite)
	want := map[string]Error{"SVG_SIZE": ErrSize, "SVG_VALIDATION_ERROR": ErrRequired, "SVG_UNZIP_ERROR": ErrGzip, "SVG_INVALID_XML": ErrRoot}
	// The malformed file has a root called xml; reading stops there.
	for _, c := range suite.Indicator {
		t.Run(c.Title, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, c.File))
			require.NoError(t, err)
			o := Options{MaxSize: c.MaxSize}
			if c.Option == "schema validation switched off" || c.Uncompressed != "" {
				o.Profile = Lenient // its gzip case is of profile tiny and only about reading
			}
			got := Check(data, o)
			for _, e := range c.Errors {
				require.Error(t, got.Err)
				require.Contains(t, want, e)
				require.True(t, has(got, want[e]), "%s: %v", e, got.Findings)
			}
			if len(c.Errors) == 0 {
				require.NoError(t, got.Err)
			}
			if c.Uncompressed != "" {
				plain, err := os.ReadFile(filepath.Join(dir, c.Uncompressed))
				require.NoError(t, err)
				// The file on disk has a final line end that the archive lacks, or not.
				require.Equal(t, string(bytes.TrimSpace(plain)), string(bytes.TrimSpace(got.SVG)))
			}
		})
	}
	testcase.Ran(t, "bimi/mail-bimi-indicator", len(suite.Indicator), 7)
}
