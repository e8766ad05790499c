package spf

import (
	"encoding/base64"
	"os"
	"testing"

	"github.com/stretchr/testify/assert/yaml"
	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/testcase"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// readZone reads zone data that comes without tests.
func readZone(t *testing.T, name string) suite {
	t.Helper()
	data, err := os.ReadFile(testcase.Corpora(t, "spf", "pyspf", name))
	require.NoError(t, err)
	var s suite
	require.NoError(t, yaml.Unmarshal(data, &s))
	return s
}
