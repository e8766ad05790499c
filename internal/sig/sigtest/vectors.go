package sigtest

import (
	_ "embed"
	"encoding/json"
	"strings"
	"testing"
)

// Vector is one key record with one signature, in the manner of the Wycheproof
// project: right, or wrong in one way. The tests of this package make them, and
// the file that they are read from has no secrets: it can be given to any other
// implementation.
type Vector struct {
	// ID is unique: what it is about, a slash, and how.
	ID string `json:"id"`
	// Comment says what is odd about it, and why Want is the answer where one
	// could think otherwise.
	Comment string `json:"comment,omitempty"`
	// Algorithm is a= of the signature. It selects the messages.
	Algorithm string `json:"algorithm"`
	// Record is the text published under the selector.
	Record string `json:"record"`
	// MaxBits, where it is not zero, is the length of modulus to be allowed.
	MaxBits int `json:"maxBits,omitempty"`
	// Holds: the equation of the algorithm holds for this signature, as a text book
	// writes it and without any check of a limit, an encoding or a padding rule beyond
	// the octets. A vector that holds and is not a pass is refused for what it is.
	Holds bool `json:"holds"`
	// Want is "pass" or the name of the error constant.
	Want string `json:"want"`
	// DKIM and Seal are what stands as b= in the DKIM-Signature and in the ARC-Seal
	// of the messages.
	DKIM string `json:"dkim"`
	Seal string `json:"seal"`
}

// Messages are signed messages without their b=, for which {b} stands.
type Messages struct {
	// DKIM has a DKIM-Signature by vector._domainkey.bank.example, and DKIMDigest is
	// the SHA-256 that it signs, in hexadecimal digits.
	DKIM       string `json:"dkim"`
	DKIMDigest string `json:"dkimDigest"`
	// Seal has one ARC set, whose ARC-Message-Signature is good under
	// good._domainkey.bank.example and whose ARC-Seal is by vector._domainkey.bank.example.
	Seal       string `json:"seal"`
	SealDigest string `json:"sealDigest"`
}

// VectorFile is all of it.
type VectorFile struct {
	About    string              `json:"about"`
	Good     string              `json:"good"` // the record of good._domainkey.bank.example
	Messages map[string]Messages `json:"messages"`
	Vectors  []Vector            `json:"vectors"`
}

//go:embed testdata/vectors.json
var vectors []byte

// Vectors returns the vectors.
func Vectors(t testing.TB) VectorFile {
	t.Helper()
	var f VectorFile
	if err := json.Unmarshal(vectors, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Vectors) == 0 {
		t.Fatal("no vectors")
	}
	return f
}

// Message returns the message of a vector with its DKIM-Signature.
func (f VectorFile) Message(v Vector) string {
	return strings.Replace(f.Messages[v.Algorithm].DKIM, "{b}", v.DKIM, 1)
}

// Sealed returns the message of a vector with its ARC set.
func (f VectorFile) Sealed(v Vector) string {
	return strings.Replace(f.Messages[v.Algorithm].Seal, "{b}", v.Seal, 1)
}
