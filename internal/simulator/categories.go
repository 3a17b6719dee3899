package simulator

// category is a timeline category.
type category uint8

const (
	catValidateAddresses category = iota
	catNormalizedAddress
	catRegistryValidationCall
	catRegistryValidationResponse
	catSenderAckRequest
	catAccepted
	catRefused
	catAARRequest
	catAAR
	catCourtesy
	catProbableAnalogDate
	catGetAddress
	catRegistryCall
	catRegistryResponse
	catScheduleAnalog
	catScheduleDigital
	catPrepareDigital
	catSendDigital
	catDigitalProgress
	catDigitalFeedback
	catDigitalDeliveryRequest
	catDigitalSuccess
	catDigitalFailure
	catPrepareSimple
	catSendSimple
	catSimpleProgress
	catPrepareAnalog
	catPrepareAnalogFailure
	catSendAnalog
	catAnalogProgress
	catAnalogFeedback
	catAnalogSuccess
	catAnalogFailure
	catDeceased
	catUnreachableRequest
	catUnreachable
	catScheduleRefinement
	catRefinement
	catViewedRequest
	catViewed
	catCancellationRequest
	catCancelled
	catPayment
	catRADD
	catReworked
)

// parts of an element id after IUN.
const (
	withRec = 1 << iota
	withSource
	withRepeat
	withAttempt
	withIdx
	inDefault // member of the DEFAULT filter
)

type categoryInfo struct {
	name, prefix string // prefix "" = name
	parts        int
}

// info describes a category: its name, the prefix of its element ids where that
// differs, and what else stands in them.
func (c category) info() categoryInfo { return categoryTable[c] }

var categoryTable = [...]categoryInfo{
	catValidateAddresses:          {"VALIDATE_NORMALIZE_ADDRESSES_REQUEST", "", 0},
	catNormalizedAddress:          {"NORMALIZED_ADDRESS", "", withRec},
	catRegistryValidationCall:     {"PUBLIC_REGISTRY_VALIDATION_CALL", "", 0},
	catRegistryValidationResponse: {"PUBLIC_REGISTRY_VALIDATION_RESPONSE", "", withRec},
	catSenderAckRequest:           {"SENDER_ACK_CREATION_REQUEST", "SENDERACK_LEGALFACT_CREATION_REQUEST", 0},
	catAccepted:                   {"REQUEST_ACCEPTED", "", inDefault},
	catRefused:                    {"REQUEST_REFUSED", "", inDefault},
	catAARRequest:                 {"AAR_CREATION_REQUEST", "", withRec},
	catAAR:                        {"AAR_GENERATION", "AAR_GEN", withRec},
	catCourtesy:                   {"SEND_COURTESY_MESSAGE", "", withRec},
	catProbableAnalogDate:         {"PROBABLE_SCHEDULING_ANALOG_DATE", "", withRec},
	catGetAddress:                 {"GET_ADDRESS", "", withRec | withSource | withAttempt},
	catRegistryCall:               {"PUBLIC_REGISTRY_CALL", "NATIONAL_REGISTRY_CALL", withRec | withAttempt},
	catRegistryResponse:           {"PUBLIC_REGISTRY_RESPONSE", "NATIONAL_REGISTRY_RESPONSE", withRec | withAttempt},
	catScheduleAnalog:             {"SCHEDULE_ANALOG_WORKFLOW", "", withRec},
	catScheduleDigital:            {"SCHEDULE_DIGITAL_WORKFLOW", "", withRec | withSource | withAttempt},
	catPrepareDigital:             {"PREPARE_DIGITAL_DOMICILE", "", withRec | withSource | withAttempt},
	catSendDigital:                {"SEND_DIGITAL_DOMICILE", "SEND_DIGITAL", withRec | withSource | withRepeat | withAttempt | inDefault},
	catDigitalProgress:            {"SEND_DIGITAL_PROGRESS", "DIGITAL_PROG", withRec | withSource | withRepeat | withAttempt | withIdx | inDefault},
	catDigitalFeedback:            {"SEND_DIGITAL_FEEDBACK", "", withRec | withSource | withRepeat | withAttempt | inDefault},
	catDigitalDeliveryRequest:     {"DIGITAL_DELIVERY_CREATION_REQUEST", "", withRec},
	catDigitalSuccess:             {"DIGITAL_SUCCESS_WORKFLOW", "", withRec | inDefault},
	catDigitalFailure:             {"DIGITAL_FAILURE_WORKFLOW", "", withRec | inDefault},
	catPrepareSimple:              {"PREPARE_SIMPLE_REGISTERED_LETTER", "", withRec},
	catSendSimple:                 {"SEND_SIMPLE_REGISTERED_LETTER", "", withRec | inDefault},
	catSimpleProgress:             {"SEND_SIMPLE_REGISTERED_LETTER_PROGRESS", "SIMPLE_REGISTERED_LETTER_PROGRESS", withRec | withIdx | inDefault},
	catPrepareAnalog:              {"PREPARE_ANALOG_DOMICILE", "", withRec | withAttempt},
	catPrepareAnalogFailure:       {"PREPARE_ANALOG_DOMICILE_FAILURE", "", withRec | withAttempt},
	catSendAnalog:                 {"SEND_ANALOG_DOMICILE", "", withRec | withAttempt | inDefault},
	catAnalogProgress:             {"SEND_ANALOG_PROGRESS", "", withRec | withAttempt | withIdx | inDefault},
	catAnalogFeedback:             {"SEND_ANALOG_FEEDBACK", "", withRec | withAttempt | inDefault},
	catAnalogSuccess:              {"ANALOG_SUCCESS_WORKFLOW", "", withRec | inDefault},
	catAnalogFailure:              {"ANALOG_FAILURE_WORKFLOW", "", withRec | inDefault},
	catDeceased:                   {"ANALOG_WORKFLOW_RECIPIENT_DECEASED", "", withRec | inDefault},
	catUnreachableRequest:         {"COMPLETELY_UNREACHABLE_CREATION_REQUEST", "", withRec},
	catUnreachable:                {"COMPLETELY_UNREACHABLE", "", withRec | inDefault},
	catScheduleRefinement:         {"SCHEDULE_REFINEMENT", "SCHEDULE_REFINEMENT_WORKFLOW", withRec},
	catRefinement:                 {"REFINEMENT", "", withRec | inDefault},
	catViewedRequest:              {"NOTIFICATION_VIEWED_CREATION_REQUEST", "", withRec},
	catViewed:                     {"NOTIFICATION_VIEWED", "", withRec | inDefault},
	catCancellationRequest:        {"NOTIFICATION_CANCELLATION_REQUEST", "", 0},
	catCancelled:                  {"NOTIFICATION_CANCELLED", "", inDefault},
	catPayment:                    {"PAYMENT", "NOTIFICATION_PAID", withRec | withIdx},
	catRADD:                       {"NOTIFICATION_RADD_RETRIEVED", "", withRec | inDefault},
	catReworked:                   {"NOTIFICATION_TIMELINE_REWORKED", "", withRec | withAttempt | withIdx},
}

// source is where a digital address comes from.
type source uint8

const (
	noSource source = iota
	platform
	special
	general
)

func (s source) String() string { return [...]string{"", "PLATFORM", "SPECIAL", "GENERAL"}[s] }
