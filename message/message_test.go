package message

import (
	"crypto"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// b0 is the base message of the threat matrix.
const b0 = "From: CEO <ceo@bank.example>\r\n" +
	"To: <u@victim.example>\r\n" +
	"Subject: Statement\r\n" +
	"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n" +
	"Message-ID: <1@bank.example>\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: text/plain\r\n" +
	"\r\n" +
	"Dear customer,\r\n\r\nyour statement is ready.\r\n"

func sum64(t *testing.T, m *Message, h BodyHash) string {
	d, ok := m.BodyDigest(h)
	require.True(t, ok)
	return base64.StdEncoding.EncodeToString(d.Sum)
}

func TestEmptyBody(t *testing.T) {
	// The constants of RFC 6376, sections 3.4.3 and 3.4.4.
	want := map[BodyHash]string{
		{Simple, crypto.SHA1, -1}:    "uoq1oCgLlTqpdDX/iUbLy7J1Wic=",
		{Simple, crypto.SHA256, -1}:  "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=",
		{Relaxed, crypto.SHA1, -1}:   "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
		{Relaxed, crypto.SHA256, -1}: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
	}
	for _, in := range []string{"From: a@b.example\r\n\r\n", "From: a@b.example\r\n", "", "\r\n", "\r\n\r\n\r\n\r\n"} {
		d := Digester{AllowSHA1: true}
		for h := range want {
			d.Want = append(d.Want, h)
		}
		_, err := d.Write([]byte(in))
		require.NoError(t, err)
		m, err := d.Finish()
		require.NoError(t, err)
		for h, w := range want {
			require.Equal(t, w, sum64(t, m, h), "%q %v", in, h)
		}
	}
}

func TestHeader(t *testing.T) {
	m, err := Parse([]byte("A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n"))
	require.NoError(t, err)
	h := m.Header()
	require.Equal(t, 2, h.Len())
	require.Equal(t, "B", h.Field(1).Name())
	require.Equal(t, " Y\t\r\n\tZ  ", h.Field(1).Value())
	require.Equal(t, []int{1}, h.All("b"))
	require.Nil(t, h.All("c"))
	require.Equal(t, "a:X\r\n", string(h.Field(0).AppendCanonical(nil, Relaxed)))
	require.Equal(t, "b:Y Z\r\n", string(h.Field(1).AppendCanonical(nil, Relaxed)))
	require.Equal(t, "B : Y\t\r\n\tZ  \r\n", string(h.Field(1).AppendCanonical(nil, Simple)))
	require.Equal(t, []Finding{{SpaceBeforeColon, 1}, {MissingFrom, -1}}, m.Defects())

	m, err = Parse([]byte(b0))
	require.NoError(t, err)
	require.Nil(t, m.Defects())
	require.Equal(t, 7, m.Header().Len())
	require.True(t, strings.HasPrefix(string(m.Header().Raw(6)), "Content-Type: "))
}

func TestDigestsOfSignatures(t *testing.T) {
	m, err := Parse([]byte("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; l=3\r\n" +
		"DKIM-Signature: v=1; a=rsa-sha256; l=999\r\nFrom: x@y.example\r\n\r\nab  c \r\n"))
	require.NoError(t, err)
	d, ok := m.BodyDigest(BodyHash{Relaxed, crypto.SHA256, 3})
	require.True(t, ok)
	require.Equal(t, int64(6), d.Canonical)
	d, ok = m.BodyDigest(BodyHash{Simple, crypto.SHA256, 999})
	require.True(t, ok)
	require.Equal(t, int64(8), d.Canonical)
	_, ok = m.BodyDigest(BodyHash{Relaxed, crypto.SHA256, -1})
	require.False(t, ok)
}
