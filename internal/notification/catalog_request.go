package notification

// requestCatalogue is what Validate and Decode find in a request.
var requestCatalogue = map[string]entry{}
