package aggregate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dmarc/aggregate"
)

// TestRender: REP-07, the helpers for those who show what strangers wrote.
func TestRender(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a": "a", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@a": "'@a", " =1": "' =1", "\t=1": "' =1", "\r=1": "' =1", "a=1": "a=1",
		"\uff1d1": "'\uff1d1", "\uff201": "'\uff201", "\u00a0=1": "'\u00a0=1", "\u3000+1": "'\u3000+1", " ": " ", "'=1": "'=1",
		"a\r\nb": "a  b", "\u202e=1": "'=1", "\x1b[31m": " [31m", "é\U0001f4e7": "é\U0001f4e7", "a\xffb": "ab",
	} {
		require.Equal(t, want, aggregate.CSV(in), "%q", in)
	}
	require.Equal(t, "=1 ", aggregate.Plain("=1\u2028\u200b"))
}
