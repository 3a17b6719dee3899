// Package simulator is SEND, PDND and the object store in one http.Handler: the
// judge of the connector, the engine of the demo and the `simulator` command.
//
// It is written from the reference texts and the official OpenAPI document
// alone and imports nothing of this module, so that a mistake in the client is
// not repeated in what judges it. Start with New, and with NewIdentity for a
// body that can log in at once.
//
// Two clocks drive it. The platform clock, which may run faster than real time
// or be moved by hand, drives the life of notifications: validation, letters,
// terms. The wall clock drives what a client measures with its own watch:
// vouchers, presigned addresses, rates, pauses between polls, retention of
// stream events. Both are the same when the speed is 1, when a test gives the
// clock, and when the clock is moved by hand.
//
// Nothing survives the process: state lives in memory, contents of uploads
// beyond a budget in a temporary folder that Close removes. No goroutine runs;
// what is due happens when somebody calls, in the order in which it fell due.
package simulator
