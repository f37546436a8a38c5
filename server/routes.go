package server

// routes is the whole API. docs/api.md says what each takes and gives, policy/*.cedar who may.
func (s *Server) routes() []Route {
	i, c, v, l := s.identity, s.charts, s.visits, s.keeper
	return []Route{
		// Coming in: public, and those that begin a session want a proof.
		{Pattern: "GET /api/clinic", Action: public, Do: i.GetClinic},
		{Pattern: "POST /api/invitations/{invitation}/open", Action: public, Do: i.OpenInvitation},
		{Pattern: "POST /api/invitations/{invitation}/membership", Action: public, Do: i.InvitedMembership},
		{Pattern: "POST /api/invitations/{invitation}/accept", Action: public, Proven: true, Body: joiningBody, Do: i.AcceptInvitation},
		{Pattern: "POST /api/sign-in/options", Action: public, Do: i.SignInOptions},
		{Pattern: "POST /api/sign-in", Action: public, Proven: true, Do: i.SignIn},
		{Pattern: "POST /api/recovery/open", Action: public, Do: i.OpenRecovery},
		{Pattern: "POST /api/recovery/finish", Action: public, Proven: true, Body: joiningBody, Do: i.FinishRecovery},

		// One's own account.
		{Pattern: "GET /api/me", Action: "readSelf", About: i.AboutSelf, Do: i.GetMe},
		{Pattern: "DELETE /api/me", Action: "eraseSelf", Touch: always, About: i.AboutSelf, Do: i.DeleteMe},
		{Pattern: "GET /api/keyring", Action: "readSelf", About: i.AboutSelf, Do: i.GetKeyring},
		{Pattern: "PUT /api/keyring", Action: "writeSelf", Touch: i.IsNewCode, About: i.AboutSelf, Do: i.PutKeyring},
		{Pattern: "PUT /api/browser", Action: "writeSelf", About: i.AboutSelf, Do: i.PutBrowser},
		{Pattern: "GET /api/passkeys", Action: "readSelf", About: i.AboutSelf, Do: i.GetPasskeys},
		{Pattern: "POST /api/passkeys/options", Action: "writeSelf", Touch: always, About: i.AboutSelf, Do: i.PasskeyOptions},
		{Pattern: "POST /api/passkeys", Action: "writeSelf", Touch: always, About: i.AboutSelf, Do: i.AddPasskey},
		{Pattern: "DELETE /api/passkeys/{passkey}", Action: "writeSelf", Touch: always, About: i.AboutSelf, Do: i.RemovePasskey},
		{Pattern: "POST /api/touch/options", Action: "writeSelf", About: i.AboutSelf, Do: i.TouchOptions},
		{Pattern: "POST /api/touch", Action: "writeSelf", About: i.AboutSelf, Do: i.Touch},
		{Pattern: "GET /api/sessions", Action: "readSelf", About: i.AboutSelf, Do: i.GetSessions},
		{Pattern: "DELETE /api/sessions", Action: "writeSelf", About: i.AboutSelf, Do: i.EndSessions},
		{Pattern: "DELETE /api/sessions/{session}", Action: "writeSelf", About: i.AboutSelf, Do: i.EndSession},
		{Pattern: "GET /api/events", Action: "listen", Stream: s.events},

		// People.
		{Pattern: "GET /api/invitations", Action: "listInvitations", Do: i.GetInvitations},
		{Pattern: "POST /api/invitations", Action: "invite", About: i.AboutNewInvitation, Do: i.Invite},
		{Pattern: "DELETE /api/invitations/{invitation}", Action: "invite", About: i.AboutInvitation, Do: i.WithdrawInvitation},
		{Pattern: "GET /api/people", Action: "listPeople", Do: i.GetPeople},
		{Pattern: "GET /api/people/{person}/cards", Action: "readCards", About: i.AboutPerson, Do: i.GetCards},
		{Pattern: "POST /api/people/{person}/membership", Action: "state", Touch: i.IsWeighty, About: i.AboutStatement, Do: i.PostStatement},
		{Pattern: "GET /api/membership", Action: "readMembership", Do: i.GetMembership},
		{Pattern: "POST /api/keys", Action: "writeSelf", Touch: always, About: i.AboutSelf, Do: i.PostKeys},

		// Locks: charts' compartments, teams, the directory.
		{Pattern: "GET /api/locks", Action: "listLocks", Do: c.ListLocks},
		{Pattern: "POST /api/locks", Action: "createTeam", Do: c.CreateTeam},
		{Pattern: "GET /api/locks/{lock}", Action: "readLock", About: c.AboutLock, Do: c.GetLock},
		{Pattern: "GET /api/locks/{lock}/keys", Action: "readKeys", About: c.AboutLock, Do: c.GetKeys},
		{Pattern: "GET /api/locks/{lock}/members", Action: "readMembers", About: c.AboutLock, Do: c.GetMembers},
		{Pattern: "POST /api/locks/{lock}/grants", Action: "grant", Touch: sharing, About: c.AboutGrants, Do: c.PostGrants},
		{Pattern: "DELETE /api/locks/{lock}/grants/{grant}", Action: "revoke", About: c.AboutGrant, Do: c.DeleteGrant},
		{Pattern: "POST /api/locks/{lock}/opened", Action: "answerGrant", About: c.AboutLock, Do: c.PostOpened},
		{Pattern: "POST /api/locks/{lock}/epochs", Action: "turnLock", About: c.AboutLock, Do: c.PostEpoch},
		{Pattern: "GET /api/locks/{lock}/entries", Action: "readEntries", About: c.AboutLock, Do: c.GetEntries},
		{Pattern: "POST /api/locks/{lock}/entries", Action: "writeEntry", Read: c.ReadEntries, About: c.AboutEntries, Do: c.PostEntries},
		{Pattern: "GET /api/locks/{lock}/entries/{entry}/sealed", Action: "readEntries", About: c.AboutLock, Stream: c.GetSealed},
		{Pattern: "GET /api/locks/{lock}/uploads/{upload}", Action: "writeEntry", About: c.AboutUpload, Do: c.GetUpload},
		{Pattern: "PUT /api/locks/{lock}/uploads/{upload}/{part}", Action: "writeEntry", About: c.AboutUpload, Stream: c.PutPart},

		// Charts.
		{Pattern: "GET /api/charts", Action: "listCharts", Do: c.ListCharts},
		{Pattern: "GET /api/charts/{chart}", Action: "findChart", About: c.AboutChart, Do: c.FindChart},
		{Pattern: "GET /api/charts/{chart}/looks", Action: "readLooks", About: c.AboutChart, Do: c.GetLooks},
		{Pattern: "POST /api/charts/{chart}/break-glass", Action: "breakGlass", About: c.AboutChart, Do: c.PostBreakGlass},
		{Pattern: "DELETE /api/charts/{chart}/break-glass", Action: "endEmergency", About: c.AboutChart, Do: c.EndEmergency},
		{Pattern: "GET /api/emergencies", Action: "listEmergencies", Do: c.ListEmergencies},
		{Pattern: "DELETE /api/charts/{chart}", Action: "eraseChart", Touch: always, About: c.AboutChart, Do: c.DeleteChart},

		// Visits by video.
		{Pattern: "GET /api/visits", Action: "listVisits", Do: v.List},
		{Pattern: "POST /api/visits", Action: "bookVisit", About: v.AboutNewVisit, Do: v.Book},
		{Pattern: "POST /api/visits/plan", Action: "bookVisit", About: v.AboutNewVisit, Do: v.Plan},
		{Pattern: "GET /api/people/{person}/availability", Action: "readAvailability", About: v.AboutAvailability, Do: v.GetAvailability},
		{Pattern: "PUT /api/people/{person}/availability", Action: "setAvailability", About: v.AboutAvailability, Do: v.PutAvailability},
		{Pattern: "GET /api/people/{person}/slots", Action: "readAvailability", About: v.AboutAvailability, Do: v.GetSlots},
		{Pattern: "GET /api/visits/{visit}", Action: "readVisit", About: v.AboutVisit, Do: v.Get},
		{Pattern: "PUT /api/visits/{visit}", Action: "changeVisit", About: v.AboutVisit, Do: v.Change},
		{Pattern: "POST /api/visits/{visit}/arrive", Action: "arriveAtVisit", About: v.AboutVisit, Do: v.Arrive},
		{Pattern: "POST /api/visits/{visit}/leave", Action: "arriveAtVisit", About: v.AboutVisit, Do: v.Leave},
		{Pattern: "POST /api/visits/{visit}/admit", Action: "runVisit", About: v.AboutVisit, Do: v.Admit},
		{Pattern: "DELETE /api/visits/{visit}/members/{member}", Action: "runVisit", About: v.AboutVisit, Do: v.Remove},
		{Pattern: "POST /api/visits/{visit}/end", Action: "runVisit", About: v.AboutVisit, Do: v.End},
		{Pattern: "POST /api/visits/{visit}/enter", Action: "enterVisit", About: v.AboutVisit, Do: v.Enter},
		{Pattern: "POST /api/visits/{visit}/room", Action: "enterVisit", About: v.AboutVisit, Do: v.Room},
		{Pattern: "GET /api/visits/{visit}/messages", Action: "enterVisit", About: v.AboutVisit, Do: v.Messages},
		{Pattern: "POST /api/visits/{visit}/messages", Action: "enterVisit", About: v.AboutVisit, Do: v.Post},
		{Pattern: "GET /api/visits/{visit}/people", Action: "readVisit", About: v.AboutVisit, Do: v.VisitPeople},
		{Pattern: "POST /api/visits/{visit}/guests", Action: "inviteGuest", About: v.AboutVisit, Do: v.InviteGuest},
		{Pattern: "DELETE /api/visits/{visit}/guests/{guest}", Action: "inviteGuest", About: v.AboutVisit, Do: v.WithdrawGuest},
		{Pattern: "POST /api/guests/{guest}/open", Action: public, Do: v.OpenGuest}, // the link says that they may
		{Pattern: "POST /api/guests/{guest}/arrive", Action: public, Proven: true, Do: v.GuestArrives},
		{Pattern: "GET /api/reminders", Action: "readSelf", About: i.AboutSelf, Do: v.GetReminders},
		{Pattern: "PUT /api/reminders", Action: "writeSelf", About: i.AboutSelf, Do: v.PutReminders},
		{Pattern: "DELETE /api/reminders", Action: "writeSelf", About: i.AboutSelf, Do: v.EndReminders},
		{Pattern: "PUT /api/reminders/push", Action: "writeSelf", About: i.AboutSelf, Do: v.PutPush},
		{Pattern: "DELETE /api/reminders/push", Action: "writeSelf", About: i.AboutSelf, Do: v.EndPush},
		{Pattern: "POST /api/calendar-feed", Action: "writeSelf", About: i.AboutSelf, Do: v.MakeFeed},
		{Pattern: "DELETE /api/calendar-feed", Action: "writeSelf", About: i.AboutSelf, Do: v.EndFeed},
		{Pattern: "GET /api/calendar-feed/{file}", Action: public, Stream: v.Feed}, // the address is the secret
		{Pattern: "GET /rtc/", Action: public, Stream: v.Signal},                   // who has no token of a room stays outside

		// The record.
		{Pattern: "GET /api/record", Action: "readRecord", Do: s.getRecord},
		{Pattern: "GET /api/record/state", Action: "readRecord", Stream: l.GetRecordState},
		{Pattern: "GET /api/record/accesses", Action: "readRecord", Stream: l.GetRecordAccesses},
		{Pattern: "GET /api/record/receipts", Action: "readRecord", Stream: l.GetRecordReceipts},

		// The ledger: proofs that what is kept is what everyone agreed.
		{Pattern: "GET /api/ledger", Action: "readLedger", Stream: l.GetLedger},
		{Pattern: "GET /api/ledger/entries", Action: "readLedger", Stream: l.GetEntries},
		{Pattern: "GET /api/ledger/consistency", Action: "readLedger", Stream: l.GetConsistency},
		{Pattern: "GET /api/ledger/changes", Action: "readLedger", Stream: l.GetChanges},
		{Pattern: "GET /api/ledger/names", Action: "readLedger", Stream: l.GetNames},
		{Pattern: "GET /api/ledger/app", Action: "readLedger", Stream: l.GetAppRelease},
		{Pattern: "GET /api/ledger/status", Action: "readRecord", Stream: l.GetStatus},
		{Pattern: "POST /api/ledger/votes", Action: "voteLedger", Touch: always, Do: l.PostVote},
		{Pattern: "GET /api/charts/{chart}/accesses", Action: "readLooks", About: c.AboutChart, Stream: l.GetChartAccesses},
		{Pattern: "GET /api/charts/{chart}/receipts", Action: "readLooks", About: c.AboutChart, Stream: l.GetChartReceipts},
		{Pattern: "GET /api/locks/{lock}/receipts", Action: "readEntries", About: c.AboutLock, Stream: l.GetLockReceipts},
		{Pattern: "GET /api/people/{person}/card-proof", Action: "readCards", About: i.AboutPerson, Stream: l.GetCardProof},
		{Pattern: "GET /api/membership/proof", Action: "readMembership", Stream: l.GetRosterProof},
		{Pattern: "GET /ledger/{org}/checkpoint", Action: public, Stream: l.GetCheckpoint}, // hashes of what nobody can guess
		{Pattern: "GET /ledger/{org}/tile/{tile...}", Action: public, Stream: l.GetTile},
	}
}
