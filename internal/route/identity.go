package route

// bookedNth tells the id of a callback from those of the offers of the same call, which count from 1.
const bookedNth = -1

// CallbackCall is the id of the callback that was booked in a call. It derives from the call's id alone, as OfferCall
// does, so that whoever looks at the call finds it.
func CallbackCall(call CallID) CallID { return OfferCall(call, bookedNth) }
