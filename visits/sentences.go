package visits

import (
	"fmt"
	"time"
)

// What reminders say. They are read on lock screens and over shoulders, and pass through mail servers and push services:
// a time, and nothing else. No name, no clinic, no word of health.

type sentencesOf struct {
	subject, reminder, moved, cancelled, series, first string
	open                                               string // of where to read more
	today, tomorrow, on                                string // of a time; of a day and a time
	months                                             [12]string
}

var sentences = map[string]sentencesOf{
	"en": {
		subject: "Your appointment", reminder: "You have an appointment %s.", moved: "Your appointment was moved. It is now %s.",
		cancelled: "Your appointment %s was cancelled.", series: "Your appointment %s and those that follow it were cancelled.",
		first: "Reminders of your appointments will come to this address.\nIf you did not ask for them, someone may have mistyped their own: please tell them through the address below, or ignore this.",
		open:  "Open Ward: %s", today: "today at %s", tomorrow: "tomorrow at %s", on: "on %[1]d %[2]s at %[3]s",
		months: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	},
	"es": {
		subject: "Su cita", reminder: "Tiene una cita %s.", moved: "Su cita se ha cambiado. Ahora es %s.",
		cancelled: "Su cita %s se ha cancelado.", series: "Su cita %s y las que la siguen se han cancelado.",
		first: "Los recordatorios de sus citas llegarán a esta dirección.\nSi no los ha pedido, quizá alguien escribió mal la suya: avísele a través de la dirección de abajo, o no haga caso.",
		open:  "Abrir Ward: %s", today: "hoy a las %s", tomorrow: "mañana a las %s", on: "el %[1]d de %[2]s a las %[3]s",
		months: [12]string{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"},
	},
	"ar": {
		subject: "موعدك", reminder: "لديك موعد %s.", moved: "تغيّر موعدك. أصبح %s.",
		cancelled: "أُلغي موعدك %s.", series: "أُلغي موعدك %s وما يليه من مواعيد.",
		first: "ستصل التذكيرات بمواعيدك إلى هذا العنوان.\nإذا لم تطلبها فربما أخطأ شخص في كتابة عنوانه: أخبره عبر العنوان أدناه أو تجاهل هذه الرسالة.",
		open:  "افتح Ward: %s", today: "اليوم الساعة %s", tomorrow: "غدًا الساعة %s", on: "يوم %[1]d %[2]s الساعة %[3]s",
		months: [12]string{"يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"},
	},
}

// say writes a letter for a person, with a link if there is one.
func (s settings) say(l letter, now time.Time, link string) (subject, body string) {
	words, ok := sentences[s.language]
	if !ok {
		words = sentences["en"]
	}
	form := map[string]string{aboutReminder: words.reminder, aboutMoved: words.moved, aboutCancelled: words.cancelled, aboutSeries: words.series}[l.about]
	body = words.first
	if form != "" {
		body = fmt.Sprintf(form, s.when(words, time.UnixMilli(l.starts), now))
	}
	if link != "" {
		body += "\n\n" + fmt.Sprintf(words.open, link) + "\n"
	}
	return words.subject, body
}

// when is a moment as it is said where the person is.
func (s settings) when(words sentencesOf, at, now time.Time) string {
	zone, err := zoneOf(s.zone)
	if err != nil {
		zone = time.UTC // a zone that was renamed since
	}
	at, now = at.In(zone), now.In(zone)
	clock := at.Format("15:04")
	if err != nil {
		clock += " UTC"
	}
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	switch day(at).Sub(day(now)) {
	case 0:
		return fmt.Sprintf(words.today, clock)
	case 24 * time.Hour:
		return fmt.Sprintf(words.tomorrow, clock)
	}
	return fmt.Sprintf(words.on, at.Day(), words.months[at.Month()-1], clock)
}
