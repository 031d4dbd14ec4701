package route

// One derivation makes every id that no host picked: OfferCall, which counts the offers of a call from 1. The others
// count downwards from 0.
const bookedNth = -1

// CallbackCall is the id of the callback that was booked in a call. It derives from the call's id alone, as OfferCall
// does, so that whoever looks at the call finds it.
func CallbackCall(call CallID) CallID { return OfferCall(call, bookedNth) }

// entryID is the id of the n-th entry leg after the first, from 1, of a visit.
func entryID(visit CallID, n int) CallID { return OfferCall(visit, bookedNth-n) }
