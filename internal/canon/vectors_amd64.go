//go:build !purego

package canon

// vectors says that the processor, and the system with it, can do what the
// assembly wants: AVX2 and POPCNT.
var vectors = hasAVX2()

func hasAVX2() bool {
	const popcnt, osxsave, avx, avx2 = 1 << 23, 1 << 27, 1 << 28, 1 << 5
	if most, _, _, _ := cpuid(0, 0); most < 7 {
		return false
	}
	if _, _, c, _ := cpuid(1, 0); c&popcnt == 0 || c&osxsave == 0 || c&avx == 0 {
		return false
	}
	if xgetbv()&6 != 6 { // the system does not save the registers
		return false
	}
	_, b, _, _ := cpuid(7, 0)
	return b&avx2 != 0
}

func cpuid(leaf, subleaf uint32) (a, b, c, d uint32)

func xgetbv() uint32

// reduceVector copies src to dst with its white space reduced, a vector at a
// time, as long as src has an octet in sight for each that is looked at and dst
// has room for a vector; it may have written behind what it says. An octet of
// white space is kept if it is the last of its run and no CRLF comes next, and it is
// then an SP. table is packing.
//
//go:noescape
func reduceVector(dst, src []byte, table *[256]uint64) (read, written int)

// plainVector returns how many octets src begins with that reducing keeps as they
// are, in whole vectors and as far as can be told without what follows src.
//
//go:noescape
func plainVector(src []byte) int

// pairsVector is pairWords, a vector at a time.
//
//go:noescape
func pairsVector(p []byte) (n int, ok bool)

// headVector returns where the first empty line of p ends, behind a line and with
// at least as much behind it as a vector sees; -1 if there is none. plain: up to there
// is nothing but printable ASCII, SP, HTAB, and CRs and LFs of which only the first octet may
// be an LF without CR.
//
//go:noescape
func headVector(p []byte) (end int, plain bool)
