package route

// maxCallID bounds derived ids as those of the host are: exact in JavaScript too.
const maxCallID = 1<<52 - 1

// derive makes the id of a call that follows from another one and that no host picked: the n-th of the kind. The same
// call always leads to the same ids, and they are as good as random (the finalizer of SplitMix64). One that is taken is
// mixed again.
func (m *Machine) derive(from CallID, n int) CallID {
	x := uint64(from) + uint64(n+1)*0x9e3779b97f4a7c15
	for {
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
		if id := CallID(x & maxCallID); id > 0 && m.calls[id] == nil {
			return id
		}
		x++
	}
}
