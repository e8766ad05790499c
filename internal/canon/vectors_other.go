//go:build !amd64 || purego

package canon

const vectors = false

func reduceVector(dst, src []byte, table *[256]uint64) (read, written int) { return 0, 0 }

func plainVector(src []byte) int { return 0 }

func pairsVector(p []byte) (n int, ok bool) { return 0, false }

func headVector(p []byte) (end int, plain bool) { return -1, false }
