package api

import (
	"net/http"
	"strconv"

	"switchboard/internal/callcenter"
	"switchboard/internal/problem"
	"switchboard/openapi"
)

// Route is one operation: the document's part of it and how it is answered.
type Route struct {
	ID     string // operationId
	Method string
	Path   string // as net/http patterns have it
	Body   bool   // it takes a request body

	open   bool // needs no key
	may    func(*call) bool
	ids    []pathID
	handle func(*call) (answer, error)
}

// pathID is one id in a path.
type pathID struct {
	name   string            // of the wildcard
	person bool              // may be written as me
	words  func(string) bool // not an id, but one of these words
	find   func(c *call, text string) error
}

// handler is what the table below says of an operation.
type handler struct {
	may    func(*call) bool
	ids    []pathID
	handle func(*call) (answer, error)
}

var (
	inID       = []pathID{{name: "id", find: findCenter}}
	userInID   = []pathID{{name: "id", find: findUser, person: true}}
	officeInID = []pathID{{name: "id", find: findOffice}}
	ofOffice   = []pathID{{name: "office_id", find: findOffice}}
	inNumber   = []pathID{{name: "number", find: findNumber}}
	trunkInID  = []pathID{{name: "id", find: findTrunk}}
	messageID  = []pathID{{name: "id", find: findMessage}}
	callInID   = []pathID{{name: "id", find: findCall}}
	spokenID   = []pathID{{name: "call_id", find: findCall}}
	anyNumber  = []pathID{{name: "number", words: callcenter.ValidE164, find: ignorePath}}
	routerInID = []pathID{{name: "id", find: findRouter}}
	hookInID   = []pathID{{name: "id", find: findWebhook}}
	callSubID  = []pathID{{name: "id", find: findSubscription(callcenter.CallEvents)}}
	dutySubID  = []pathID{{name: "id", find: findSubscription(callcenter.AgentStatusEvents)}}
	tapeID     = []pathID{{name: "id", find: findRecording}}
	letterID   = []pathID{{name: "id", find: findLetter}}
	promptID   = []pathID{{name: "ivr_id", find: findPrompt}}
	holidayIDs = []pathID{inID[0], {name: "holiday_id", find: findHoliday}}
	ivrIDs     = []pathID{
		{name: "target_type", words: ivrTarget, find: ignorePath},
		{name: "target_id", find: findIVRTarget},
		{name: "ivr_type", words: IVRType, find: ignorePath},
	}
	deviceIDs = []pathID{userInID[0], {name: "device_id", find: findDevice}}
	skillIDs  = []pathID{
		{name: "call_center_id", find: findCenter}, {name: "user_id", find: findMember, person: true},
	}
)

// handlers are the operations by operationId.
var handlers = map[string]handler{
	"callcenters.listall":                  {anyKey, nil, listCenters},
	"callcenters.create":                   {companyAdmin, nil, createCenter},
	"callcenters.get":                      {anyKey, inID, getCenter},
	"callcenters.update":                   {companyAdmin, inID, updateCenter},
	"callcenters.delete":                   {companyAdmin, inID, deleteCenter},
	"callcenters.status":                   {anyKey, inID, centerStatus},
	"callcenters.operators.get":            {anyKey, inID, listOperators},
	"callcenters.operators.post":           {adminOfCenter("id"), inID, addOperator},
	"callcenters.operators.delete":         {adminOfCenter("id"), inID, removeOperator},
	"callcenters.operators.get.skilllevel": {anyKey, skillIDs, getSkill},
	"callcenters.operators.skilllevel":     {adminOfCenter("call_center_id"), skillIDs, updateSkill},
	"callcenters.operators.get.dutystatus": {anyKey, userInID, getDuty},
	"callcenters.operators.dutystatus":     {selfOrSupervisor, userInID, updateDuty},

	"offices.list":     {anyKey, nil, listOffices},
	"offices.get":      {anyKey, officeInID, getOffice},
	"callcenters.list": {anyKey, ofOffice, listCenters},

	"users.list":   {anyKey, nil, listUsers},
	"users.create": {companyAdmin, nil, createUser},
	"users.get":    {anyKey, userInID, getUser},
	"users.update": {companyAdmin, userInID, updateUser},
	"users.delete": {companyAdmin, userInID, deleteUser},

	"numbers.list":                        {companyAdmin, nil, listNumbers},
	"numbers.get":                         {companyAdmin, inNumber, getNumber},
	"numbers.delete":                      {companyAdmin, inNumber, deleteNumber},
	"numbers.assign_target_number.post":   {companyAdmin, nil, assignNumber},
	"numbers.assign_number.post":          {companyAdmin, inNumber, assignNumber},
	"numbers.assign_office_number.post":   {companyAdmin, officeInID, assignNumber},
	"numbers.office_unassign_number.post": {companyAdmin, officeInID, unassignNumber},
	"numbers.assign_user_number.post":     {companyAdmin, userInID, assignNumber},
	"numbers.user_unassign_number.post":   {companyAdmin, userInID, unassignNumber},

	"x.devices.list":        {companyAdmin, userInID, listDevices},
	"x.devices.create":      {companyAdmin, userInID, createDevice},
	"x.devices.delete":      {companyAdmin, deviceIDs, deleteDevice},
	"x.wrapup.update":       {self, userInID, updateWrapUp},
	"x.trunks.list":         {companyAdmin, nil, listTrunks},
	"x.trunks.create":       {companyAdmin, nil, createTrunk},
	"x.trunks.delete":       {companyAdmin, trunkInID, deleteTrunk},
	"x.numbers.create":      {companyAdmin, nil, createNumbers},
	"x.voicemails.list":     {companyAdmin, nil, listMessages},
	"x.voicemails.get":      {companyAdmin, messageID, getMessage},
	"x.voicemails.audio":    {companyAdmin, messageID, playMessage},
	"x.voicemails.accesses": {companyAdmin, messageID, listListeners},
	"x.callcenters.history": {companyAdmin, inID, centerHistory},

	"call.callback":          {anyPerson, nil, createCallback},
	"call.validate_callback": {anyPerson, nil, validateCallback},
	"call.list":              {callsLister, nil, listCalls},
	"call.call":              {anyPerson, nil, startCall},
	"call.get_call_info":     {anyKey, callInID, getCall},
	"call.actions.hangup":    {anyPerson, callInID, hangUp},
	"call.put_call_labels":   {anyPerson, callInID, setLabels},
	"calllabel.list":         {anyKey, nil, listLabels},

	"users.update_active_call": {selfOrSupervisor, userInID, updateActiveCall},
	"users.toggle_vi":          {self, userInID, toggleVoice},
	"users.toggle_dnd":         {selfOrAdmin, userInID, updateDisturb},

	"callrouters.list":   {companyAdmin, nil, listRouters},
	"callrouters.create": {companyAdmin, nil, createRouter},
	"callrouters.get":    {companyAdmin, routerInID, getRouter},
	"callrouters.update": {companyAdmin, routerInID, updateRouter},
	"callrouters.delete": {companyAdmin, routerInID, deleteRouter},

	"numbers.assign_call_router_number.post": {companyAdmin, routerInID, assignNumber},

	"webhooks.list":   {companyAdmin, nil, listWebhooks},
	"webhooks.create": {companyAdmin, nil, createWebhook},
	"webhooks.get":    {companyAdmin, hookInID, getWebhook},
	"webhook.update":  {companyAdmin, hookInID, updateWebhook},
	"webhooks.delete": {companyAdmin, hookInID, deleteWebhook},

	"webhook_call_event_subscription.list":   {companyAdmin, nil, listCallSubscriptions},
	"webhook_call_event_subscription.create": {companyAdmin, nil, createCallSubscription},
	"webhook_call_event_subscription.get":    {companyAdmin, callSubID, getSubscription},
	"webhook_call_event_subscription.update": {companyAdmin, callSubID, updateCallSubscription},
	"webhook_call_event_subscription.delete": {companyAdmin, callSubID, deleteSubscription},

	"webhook_agent_status_event_subscription.list":   {companyAdmin, nil, listDutySubscriptions},
	"webhook_agent_status_event_subscription.create": {companyAdmin, nil, createDutySubscription},
	"webhook_agent_status_event_subscription.get":    {companyAdmin, dutySubID, getSubscription},
	"webhook_agent_status_event_subscription.update": {companyAdmin, dutySubID, updateDutySubscription},
	"webhook_agent_status_event_subscription.delete": {companyAdmin, dutySubID, deleteSubscription},

	"custom_ivrs.get":    {anyKey, nil, listPrompts},
	"ivr.create":         {companyAdmin, nil, createPrompt},
	"ivr_details.update": {companyAdmin, promptID, renamePrompt},
	"ivr.update":         {companyAdmin, ivrIDs, selectPrompt},
	"ivr.delete":         {companyAdmin, ivrIDs, deletePrompt},

	"x.holidays.list":   {anyKey, inID, listHolidays},
	"x.holidays.create": {adminOfCenter("id"), inID, createHoliday},
	"x.holidays.update": {adminOfCenter("id"), holidayIDs, updateHoliday},
	"x.holidays.delete": {adminOfCenter("id"), holidayIDs, deleteHoliday},
	"x.extras.get":      {anyKey, inID, getExtras},
	"x.extras.update":   {adminOfCenter("id"), inID, updateExtras},

	"x.recordings.list":        {companyAdmin, nil, listRecordings},
	"x.recordings.get":         {companyAdmin, tapeID, getRecording},
	"x.recordings.audio":       {recordingsExporter, tapeID, playRecording},
	"x.recordings.accesses":    {companyAdmin, tapeID, listAccesses},
	"x.conversations.get":      {anyPerson, callInID, getConversation},
	"x.conversations.averages": {anyPerson, nil, averageConversations},
	"transcripts.get":          {anyPerson, spokenID, getTranscript},
	"transcripts.get_url":      {anyPerson, spokenID, transcriptURL},
	"x.transcripts.get":        {anyPerson, callInID, getSpoken},
	"x.transcripts.accesses":   {companyAdmin, callInID, listReaders},
	"x.transcripts.search":     {companyAdmin, nil, searchSpoken},
	"x.speech.get":             {anyKey, inID, getSpeech},
	"x.speech.update":          {adminOfCenter("id"), inID, updateSpeech},
	"x.held.get":               {companyAdmin, anyNumber, exportNumber},
	"x.held.erase":             {companyAdmin, anyNumber, eraseNumber},
	"x.deadletters.list":       {companyAdmin, nil, listLetters},
	"x.deadletters.replay":     {companyAdmin, letterID, replayLetter},
	"x.deadletters.delete":     {companyAdmin, letterID, deleteLetter},

	"x.directory.search":            {companyAdmin, nil, searchDirectory},
	"x.directory.operation":         {companyAdmin, nil, explainOperation},
	"x.directory.documents.list":    {companyAdmin, nil, listDocuments},
	"x.directory.documents.create":  {companyAdmin, nil, addDocument},
	"x.directory.documents.get":     {companyAdmin, anyDocument, getAPIDocument},
	"x.directory.documents.delete":  {companyAdmin, anyDocument, deleteDocument},
	"x.directory.documents.refresh": {companyAdmin, anyDocument, refreshDocument},

	"x.testrequests.create": {companyAdmin, nil, sendTest},
	"x.testrequests.list":   {companyAdmin, nil, listTests},
	"x.testrequests.get":    {companyAdmin, anyDocument, getTest},

	"openapi.get": {nil, nil, getDocument},
}

// mount gives every path of the document its handlers.
func (a *API) mount() {
	paths := map[string]map[string]*Route{}
	operations := a.schema.Operations()
	if len(operations) != len(handlers) {
		panic("api: the document has " + strconv.Itoa(len(operations)) + " operations, and there are " +
			strconv.Itoa(len(handlers)) + " handlers")
	}
	for _, op := range operations {
		h, ok := handlers[op.ID]
		if !ok {
			panic("api: no handler for operation " + op.ID)
		}
		if paths[op.Path] == nil {
			paths[op.Path] = map[string]*Route{}
		}
		paths[op.Path][op.Method] = &Route{
			ID: op.ID, Method: op.Method, Path: op.Path, Body: op.Body,
			open: h.may == nil, may: h.may, ids: h.ids, handle: h.handle,
		}
		if h.may == nil {
			paths[op.Path][op.Method].may = anyKey
		}
	}
	for path, methods := range paths {
		a.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, methods) })
	}
	a.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, nil) })
}

// Routes lists the operations that are answered, by path and method.
func (a *API) Routes() []Route {
	var list []Route
	for _, op := range a.schema.Operations() {
		list = append(list, Route{ID: op.ID, Method: op.Method, Path: op.Path, Body: op.Body})
	}
	return list
}

func getDocument(c *call) (answer, error) { return answer{body: openapi.JSON}, nil }

// resolve reads the ids of the path: first all that are malformed, 400, then whether they exist, 404.
func (c *call) resolve() error {
	var malformed []problem.Field
	for _, id := range c.route.ids {
		if message := c.malformed(id); message != "" {
			malformed = append(malformed, problem.Field{Name: id.name, In: problem.InPath, Message: message})
		}
	}
	if len(malformed) > 0 {
		return problem.Invalid(malformed...)
	}
	for _, id := range c.route.ids {
		if err := id.find(c, c.r.PathValue(id.name)); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) malformed(id pathID) string {
	text := c.r.PathValue(id.name)
	switch {
	case id.words != nil:
		if !id.words(text) {
			return "is not one of those that the document lists"
		}
	case id.name == "number":
		if !callcenter.ValidE164(text) {
			return "must be a number in E.164 form, such as +14155550123"
		}
	case text == "me" && id.person:
		if c.who.CompanyAdmin() {
			return "can be me only with a user key"
		}
	case positive(text) == 0:
		return "must be a positive integer"
	}
	return ""
}

// positive reads an id; 0: it is none.
func positive(text string) int64 {
	if text == "" || text[0] < '1' || text[0] > '9' {
		return 0
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return id
}
