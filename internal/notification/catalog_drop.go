package notification

// dropCatalogue is what ingest finds in a drop: files, documents, bundles.
var dropCatalogue = map[string]entry{}
