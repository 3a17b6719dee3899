package notification

// sendingCatalogue is what the ledger, submit and progress find on the way to SEND and back.
var sendingCatalogue = map[string]entry{}
