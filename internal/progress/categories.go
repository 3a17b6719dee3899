package progress

// Categories of timeline elements that the connector acts on, as SEND spells them
// (reference/send-api.md §4.6).
const (
	catAccepted         = "REQUEST_ACCEPTED"
	catRefused          = "REQUEST_REFUSED"
	catAAR              = "AAR_GENERATION"
	catSendDigital      = "SEND_DIGITAL_DOMICILE"
	catDigitalProgress  = "SEND_DIGITAL_PROGRESS"
	catDigitalFeedback  = "SEND_DIGITAL_FEEDBACK"
	catDigitalSuccess   = "DIGITAL_SUCCESS_WORKFLOW"
	catDigitalFailure   = "DIGITAL_FAILURE_WORKFLOW"
	catSimpleLetter     = "SEND_SIMPLE_REGISTERED_LETTER"
	catSimpleProgress   = "SEND_SIMPLE_REGISTERED_LETTER_PROGRESS"
	catSendAnalog       = "SEND_ANALOG_DOMICILE"
	catAnalogProgress   = "SEND_ANALOG_PROGRESS"
	catAnalogFeedback   = "SEND_ANALOG_FEEDBACK"
	catAnalogSuccess    = "ANALOG_SUCCESS_WORKFLOW"
	catAnalogFailure    = "ANALOG_FAILURE_WORKFLOW"
	catDeceased         = "ANALOG_WORKFLOW_RECIPIENT_DECEASED"
	catUnreachable      = "COMPLETELY_UNREACHABLE"
	catRefinement       = "REFINEMENT"
	catViewed           = "NOTIFICATION_VIEWED"
	catCancelled        = "NOTIFICATION_CANCELLED"
	catTimelineReworked = "NOTIFICATION_TIMELINE_REWORKED"
)

// Filter is the explicit list of categories that our stream asks for. An empty
// filter means different things to different versions of SEND, and DEFAULT leaves
// out the AAR; what is only SEND's own bookkeeping is left out to save calls.
func Filter() []string {
	return []string{
		catAccepted, catRefused, catAAR,
		"SEND_COURTESY_MESSAGE", "PROBABLE_SCHEDULING_ANALOG_DATE",
		"SCHEDULE_ANALOG_WORKFLOW", "SCHEDULE_DIGITAL_WORKFLOW",
		catSendDigital, catDigitalProgress, catDigitalFeedback, catDigitalSuccess, catDigitalFailure,
		catSimpleLetter, catSimpleProgress,
		"PREPARE_ANALOG_DOMICILE_FAILURE",
		catSendAnalog, catAnalogProgress, catAnalogFeedback, catAnalogSuccess, catAnalogFailure, catDeceased,
		catUnreachable, "SCHEDULE_REFINEMENT", catRefinement, catViewed, "NOTIFICATION_RADD_RETRIEVED",
		"NOTIFICATION_CANCELLATION_REQUEST", catCancelled, "PAYMENT", catTimelineReworked,
	}
}

// dispatch reports whether an event of this category shows that something was sent
// towards the recipient.
func dispatch(category string) bool {
	switch category {
	case catSendDigital, catDigitalProgress, catDigitalFeedback, catDigitalSuccess, catDigitalFailure,
		catSimpleLetter, catSimpleProgress, catSendAnalog, catAnalogProgress, catAnalogFeedback,
		catAnalogSuccess, catAnalogFailure, catDeceased, catUnreachable:
		return true
	}
	return false
}

// changesCost reports whether an event of this category can change what the
// recipient's notices cost. known says that a cost was asked for before: the first
// dispatch by PEC costs nothing more, it only is the moment to know.
func changesCost(category string, known bool) bool {
	switch category {
	case catSendAnalog, catSimpleLetter, catRefinement, catViewed, catDeceased, catTimelineReworked:
		return true
	case catSendDigital:
		return !known
	}
	return false
}
