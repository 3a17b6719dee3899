package connector

// unixSockets is false: file rights do not guard a socket file on Windows Server
// 2016, so the endpoint is a loopback port with a token.
const unixSockets = false
