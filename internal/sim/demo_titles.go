package sim

// pitch is a meeting of the demo company: what it is called, who calls it, how long it takes.
type pitch struct {
	title   string
	host    int // index into people
	minutes int
	private bool
}

// people are the demo company.
func people() []Person {
	names := []struct{ name, mail string }{
		{"Jana Vogel", "jana.vogel"},
		{"Tomás Herrera", "tomas.herrera"},
		{"Priya Raman", "priya.raman"},
		{"Camille Fournier", "camille.fournier"},
		{"Daniel Okafor", "daniel.okafor"},
		{"Yuki Tanaka", "yuki.tanaka"},
		{"Sofia Lindqvist", "sofia.lindqvist"},
		{"Mehmet Aydın", "mehmet.aydin"},
		{"Hannah Krüger", "hannah.krueger"},
		{"Luca Moretti", "luca.moretti"},
		{"Aleksandra Nowak", "aleksandra.nowak"},
		{"Omar Haddad", "omar.haddad"},
	}
	all := make([]Person, len(names))
	for i, n := range names {
		all[i] = Person{Name: n.name, Email: n.mail + "@example.com"}
	}
	return all
}

// pitches are the meetings that fill the days.
func pitches() []pitch {
	return []pitch{
		{"Sprint planning", 2, 60, false},
		{"Lagebesprechung Vertrieb", 0, 45, false},
		{"Incident review: Friday's outage", 4, 45, false},
		{"Design review – booking flow", 5, 60, false},
		{"Réunion d'équipe support", 3, 30, false},
		{"Budgetrunde 2027", 8, 90, false},
		{"1:1 Priya / Daniel", 2, 30, true},
		{"Revisión del contrato de mantenimiento", 1, 60, false},
		{"Onboarding: new colleagues", 6, 60, false},
		{"Einarbeitung Empfang", 8, 30, false},
		{"Interview: backend engineer", 4, 60, true},
		{"Weekrapportage logistiek", 5, 30, false},
		{"Kundenworkshop Stadtwerke", 0, 120, false},
		{"Roadmap Q1 with partners", 6, 60, false},
		{"Point sécurité", 3, 30, false},
		{"Retrospektive Team Blau", 8, 60, false},
		{"Call with Nordic distributor", 6, 45, false},
		{"Przegląd architektury", 10, 60, false},
		{"Data protection: yearly audit", 11, 90, false},
		{"Mitarbeitergespräch", 0, 45, true},
		{"Riunione marketing", 9, 45, false},
		{"Quarterly numbers, dry run", 4, 60, false},
		{"Tasarım toplantısı", 7, 30, false},
		{"مراجعة خطة التوظيف", 11, 45, false},
		{"Betriebsrat", 8, 90, true},
		{"Usability test, session 3", 5, 60, false},
		{"Revue de code – passerelle de paiement", 3, 45, false},
		{"Supplier negotiation", 1, 60, true},
		{"Projektabnahme Lager Süd", 0, 60, false},
		{"Hackday kick-off", 2, 30, false},
		{"Comité de crédit", 3, 60, false},
		{"All-hands rehearsal", 6, 45, false},
		{"Brandschutzhelfer: Auffrischung", 8, 60, false},
		{"Migration cut-over: go / no-go", 10, 30, false},
		{"Presentación de resultados", 1, 45, false},
		{"Coffee with the founders", 9, 30, false},
	}
}
