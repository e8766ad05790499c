// Package canon holds the canonicalization algorithms of RFC 6376, section 3.4:
// "simple" and "relaxed", for header fields and, streaming, for bodies.
package canon
