package fsm

import "strings"

// eventMeanings says what each event is, to people who do not read code.
var eventMeanings = [eventKindCount]string{
	Started:            "the worker begins",
	ReceivedResume:     "the stream said resume, or sent a message without an instruction, which is how keep-alives look; a pause ends",
	ReceivedPause:      "the stream said pause; the worker takes no work until it is resumed",
	ReceivedDisconnect: "the stream said disconnect; the worker leaves as soon as no job is in hand, whatever comes after",
	ReceivedJob:        "the stream named a job that is assigned to this worker",
	TrustExpired:       "the first message of a connection did not come in time; the connection stays open and may still speak",
	StreamEnded:        "a connection that had spoken came to a planned end",
	StreamLost:         "a connection ended in any other way: a failed attempt, silence against the rules, an end without a message",
	StreamRefused:      "the control plane will not serve a stream to this worker",
	PollDue:            "it is time for the next ping",
	AnsweredIdle:       "the ping's answer has nothing to do; a pause ends, unless the answer is old",
	AnsweredPause:      "the ping's answer says pause; it counts unless the answer is old",
	AnsweredDisconnect: "the ping's answer says disconnect",
	AnsweredJob:        "the ping's answer names a job that is assigned to this worker; a pause ends, unless the answer is old",
	PollFailed:         "the ping got no answer of the control plane; that is no news, and changes nothing else",
	PollRefused:        "the control plane itself turned the ping down, for good",
	JobFinished:        "the job is over, and its end is acknowledged, or kept for later delivery",
	JobRejected:        "the control plane refused to let the job start, or its start was given up; the job may be offered again",
	DrainRequested:     "somebody asked this worker to finish what runs, and then to leave",
	ForceRequested:     "somebody asked this worker to cancel what runs, and to leave",
	SessionRefused:     "the control plane no longer knows the worker",
	IdleExpired:        "the time that the worker may be without work is over",
	UptimeExpired:      "the time that the worker may live is over; while paused it leaves on resume",
}

// Meaning returns one line for people that says what the event is.
func (k EventKind) Meaning() string {
	if int(k) < eventKindCount {
		return eventMeanings[k]
	}
	return ""
}

// Term is a word of the table, the name of a condition or of an action, with
// its meaning on one line.
type Term struct {
	Name, Meaning string
}

// conditionTerms explains the names of guards, all but those that all joins.
var conditionTerms = []Term{
	{otherwise.Name, "none of the rows above for the same event holds"},
	{leaving.Name, "the worker is to leave, and nothing but a job in hand keeps it"},
	{retiring.Name, "the worker is to leave (after one job, or after its uptime), and no pause holds it"},
	{paused.Name, "the worker takes no work until it is resumed"},
	{notPaused.Name, "no pause holds"},
	{streamUp.Name, "the current connection of the stream has spoken"},
	{streamUnknown.Name, "a connection is being made, and nothing speaks against it yet"},
	{streamRefused.Name, "the control plane turned the stream down"},
	{streamTrusted.Name, "stream up or stream unknown"},
	{streamOnly.Name, "mode stream-only: work comes by the stream alone"},
	{pollOnly.Name, "mode poll-only: work comes by polling alone"},
	{acquiring.Name, "mode acquire: the worker was started for one job, named by its id"},
	{pollingAllowed.Name, "mode auto or poll-only"},
	{mailboxHasJob.Name, "a job named earlier waits to be started"},
	{notSeen.Name, "the job that the event names was never started here, or was rejected since"},
	{mayBeStarted.Name, "not seen, or the very job in hand, which may yet be rejected"},
	{pingInFlight.Name, "a ping was sent and not answered; no job is in hand"},
	{pingIsOld.Name, "the stream has spoken since the ping was sent, so its answer may be out of date"},
}

// actionTerms explains the names of actions.
var actionTerms = []Term{
	{openStream.Name, "open the stream, and open it again whenever it ends, until the worker stops"},
	{armTrust.Name, "expect the first message of the next connection in time, or post TrustExpired"},
	{armPollNow.Name, "post PollDue at once"},
	{armPollLater.Name, "post PollDue when the ping interval has passed"},
	{disarmPoll.Name, "post no PollDue"},
	{sendPing.Name, "ask the control plane for an instruction, once"},
	{cancelPing.Name, "give up the ping in flight; what it would have brought is offered elsewhere"},
	{startOffered.Name, "accept the job that the event names, and run it"},
	{startWaiting.Name, "accept the job that has waited longest, and run it"},
	{acquire.Name, "ask for the one job that the worker was started for, and run it"},
	{keepOffer.Name, "let the job wait: it is started when no work is in hand and no pause holds"},
	{stopAccepting.Name, "if the control plane has not yet granted the job in hand, do not ask again"},
	{cancelJob.Name, "cancel the job in hand; if it does not end in time it is killed"},
	{stop.Name, "leave, for the reason that is known by now"},
	{failStream.Name, "leave as a failure: the worker cannot go on"},
}

// ConditionTerms returns the conditions that guards are made of, in a slice of
// the caller's own.
func ConditionTerms() []Term { return append([]Term(nil), conditionTerms...) }

// ActionTerms returns the actions of the table, in a slice of the caller's own.
func ActionTerms() []Term { return append([]Term(nil), actionTerms...) }

// Conditions returns the names of the conditions that must hold together; none
// if the guard always holds.
func (g Guard) Conditions() []string {
	if g.Name == "" {
		return nil
	}
	return strings.Split(g.Name, conditionSeparator)
}
