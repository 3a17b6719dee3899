// Package progress hears back from SEND: it reads the stream of events, fills gaps
// by look-ups, fetches legal documents into the spool and asks for costs.
//
// Start with Progress.Ensure, which makes sure of the stream before anything is
// sent, and Progress.ReadStream, which reads it. What a notification's state is
// comes from one pure function, derive, over every event kept of it: events may
// come twice, late, out of order, and SEND may take them back.
//
// After a crash nothing is lost and nothing is counted twice. A page of events is
// committed before it is acknowledged (the next read acknowledges it), raw and
// whole, also where an event cannot be understood; reading it again changes
// nothing. A document is committed as fetched when its bytes are in the spool,
// synced; before that it is fetched again. What must still be asked for (a look-up,
// a cost) is stored with the notification, never only remembered.
//
// Progress never sends, never writes outbound folders (package outbox does), and
// never takes a request whose answer was lost for ours: it leaves an INTENT to the
// look-up of package submit, and only keeps its events.
package progress
