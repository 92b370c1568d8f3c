package sim

import (
	"encoding/binary"
	"math/bits"
)

// md4 is the digest that Windows makes of passwords (RFC 1320). The standard library has none.
func md4(data []byte) [16]byte {
	length := uint64(len(data)) * 8
	padded := append(append([]byte{}, data...), 0x80)
	for len(padded)%64 != 56 {
		padded = append(padded, 0)
	}
	padded = binary.LittleEndian.AppendUint64(padded, length)
	state := [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}
	for ; len(padded) > 0; padded = padded[64:] {
		md4Block(&state, padded[:64])
	}
	var out [16]byte
	for i, word := range state {
		binary.LittleEndian.PutUint32(out[4*i:], word)
	}
	return out
}

// md4Block is the three rounds of section 3.4.
func md4Block(state *[4]uint32, block []byte) {
	var x [16]uint32
	for i := range x {
		x[i] = binary.LittleEndian.Uint32(block[4*i:])
	}
	rounds := [3]struct {
		mix    func(b, c, d uint32) uint32
		add    uint32
		order  [16]int
		shifts [4]int
	}{
		{func(b, c, d uint32) uint32 { return b&c | ^b&d }, 0,
			[16]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, [4]int{3, 7, 11, 19}},
		{func(b, c, d uint32) uint32 { return b&c | b&d | c&d }, 0x5a827999,
			[16]int{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15}, [4]int{3, 5, 9, 13}},
		{func(b, c, d uint32) uint32 { return b ^ c ^ d }, 0x6ed9eba1,
			[16]int{0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15}, [4]int{3, 9, 11, 15}},
	}
	a, b, c, d := state[0], state[1], state[2], state[3]
	for _, r := range rounds {
		for i, k := range r.order {
			mixed := bits.RotateLeft32(a+r.mix(b, c, d)+x[k]+r.add, r.shifts[i%4])
			a, b, c, d = d, mixed, b, c
		}
	}
	state[0] += a
	state[1] += b
	state[2] += c
	state[3] += d
}
