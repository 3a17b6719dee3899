package notification

// tableCatalogue is what readers and mapping find in an export and its profile.
var tableCatalogue = map[string]entry{}
