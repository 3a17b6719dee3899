// Package send is SEND's API for public bodies, and the PDND authorization
// server before it, as Go: operations, wire types, error classes, one limiter
// per API key. It knows HTTP and knows no ledger. Start with New and Create.
//
// It keeps nothing on disk and starts no goroutine, so a crash loses only the
// voucher and the count of today's calls (Recall gives that back). What
// a crash leaves open at SEND is settled by its caller: a request whose intent
// was committed is looked up (StatusByToken) before it is created again, and a
// page of events is acknowledged (the next Events) only after it was committed.
//
// # Classes of errors
//
// Every error is an *Error. Its class is decided here, once:
//
//	Class      when                                                    what to do
//	Transient  no connection; time-out, 5xx, cut answer of a call       again, not before RetryAfter
//	           that may be repeated; 429; 503 ADECHECKCF (the tax
//	           registry is asked before anything is stored); PDND 429,
//	           5xx or unreachable
//	Unknown    create, create stream, disable stream: anything that     look up, then decide
//	           went wrong after the request may have left: time-out,
//	           reset, 5xx, 3xx, an answer that cannot be read
//	Rejected   400 that says why, 413; 403 of SEND over one thing;      the row's fault; if Doubtful,
//	           500 FILE_GONE and the like                               once more first
//	Conflict   409; Conflicts says over what                            look up (rule 15)
//	NotFound   404 of SEND (problem, or empty); 400 FILEINFONOTFOUND    may come later, or is not ours
//	Held       401, 403 of the gateway; SEND_IS_DISABLED,               nothing is wrong with the row;
//	           LIMIT_EXCEEDED, GROUP, INVALID_SENDER_TAX_ID, stream     hold, Reason says whom to tell;
//	           rights and count; usage plan and own day used up;        again at RetryAfter or by hand
//	           PDND refuses
//	Expired    403, 404 of the object store                             ask for a new address
//	Fatal      a path that is not there ("Missing Authentication        tell the operator; a mistake of
//	           Token", a 404 in HTML); an answer about something else;  ours or of the configuration
//	           a slot that does not fit; a document that cannot be read
//
// A denial by the gateway proves nothing for a minute, since the gateway keeps
// its verdict on a key so long whatever the voucher. After the first one the
// voucher is renewed once and the error names the time to wait (65 s); only a
// denial after that has RetryAfter zero: it stands.
//
// # Repetition and waiting
//
// Reads, preload, cancel and uploads are tried up to three times within seconds.
// What has an effect is never repeated, neither here nor by the transport: its
// body cannot be rewound. It counts as having left as soon as there was a
// connection for it. Longer waits are the caller's to store.
//
// # Calls are a budget
//
// Every API call passes the limiter: a rate that halves on 429 and recovers by a
// tenth of the full one every ten seconds, a queue by Priority, and a day's
// budget of which lower priorities leave more (rule 20). Uploads and downloads go
// to the object store without credentials and are bounded in number instead.
package send
