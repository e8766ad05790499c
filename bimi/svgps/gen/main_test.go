package main

import (
	"encoding/xml"
	"io"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/testcase"
)

// TestTable: the committed table is what gen makes of the schema.
func TestTable(t *testing.T) {
	data, err := os.ReadFile(testcase.Corpora(t, "bimi", "schema", "svg-tiny-ps-schema.json"))
	require.NoError(t, err)
	want, err := generate(data)
	require.NoError(t, err)
	got, err := os.ReadFile("../table.go")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run go generate")
}

// TestSchema: the element and attribute table says the same as the RELAX NG
// schema it was worked out from, as far as names go. The schema is flat: each
// element's attributes stand inside its definition, its children are references.
func TestSchema(t *testing.T) {
	var table schema
	testcase.ReadJSON(t, testcase.Corpora(t, "bimi", "schema", "svg-tiny-ps-schema.json"), &table)
	f, err := os.Open(testcase.Corpora(t, "bimi", "schema", "SVG_1.2_PS.rng"))
	require.NoError(t, err)
	defer f.Close()

	names := map[string]string{} // definition to element
	attrs, refs := map[string]map[string]bool{}, map[string][]string{}
	define := ""
	for d := xml.NewDecoder(f); ; {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		name := ""
		for _, a := range e.Attr {
			if a.Name.Local == "name" {
				name = a.Value
			}
		}
		switch e.Name.Local {
		case "define":
			define = name
			attrs[define] = map[string]bool{}
		case "element":
			names[define] = name
		case "attribute":
			attrs[define][name] = true
		case "ref":
			refs[define] = append(refs[define], name)
		}
	}
	require.Len(t, names, len(table))
	for define, element := range names {
		require.ElementsMatch(t, slices.Collect(maps.Keys(table[element].Attributes)), slices.Collect(maps.Keys(attrs[define])), element)
		var children []string
		for _, r := range refs[define] {
			children = append(children, names[r])
		}
		require.ElementsMatch(t, table[element].Children, children, element)
	}
}

func TestGenerateRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"json":     `{`,
		"type":     `{"svg": {"attributes": {"a": {"type": "float"}}}}`,
		"pattern":  `{"svg": {"attributes": {"a": {"type": "string", "pattern": "x"}}}}`,
		"required": `{"g": {"required": ["a"]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := generate([]byte(in))
			require.Error(t, err)
		})
	}
}
