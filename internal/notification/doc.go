// Package notification is the domain of the connector: the request that SEND takes,
// the problems that can be found in it, and the identities that keep one business
// document from becoming two notifications.
//
// Start with Validate, which judges a request by every rule of SEND that can be
// known on this side, all problems at once, and with Decode, which reads a request
// from a line of SEND's own JSON. Token, Canonical and Fingerprint are the frozen
// forms by which the ledger knows a request again.
//
// Everything here is a pure function of its arguments: no clock, no files, no
// state. So there is nothing a crash could leave half done, and the same row gives
// the same token, digests and problems on every machine and after the loss of the
// ledger. What only SEND knows (the tax registry, the address normaliser, other
// senders' notices) is not judged here.
package notification
