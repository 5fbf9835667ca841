//! Invented names.

pub(super) const GIVEN: [&str; 40] = [
    "Ada", "Arlo", "Asha", "Bela", "Bruno", "Cato", "Clara", "Dario", "Edda", "Eero", "Elin",
    "Emre", "Finn", "Gita", "Goran", "Hana", "Hugo", "Ida", "Ilan", "Ines", "Ivo", "Jana", "Jiro",
    "Joan", "Kaja", "Kemal", "Kira", "Lars", "Leila", "Lev", "Lina", "Luca", "Mara", "Mateo",
    "Mila", "Nadia", "Nils", "Noor", "Omar", "Petra",
];

pub(super) const FAMILY: [&str; 40] = [
    "Alder", "Ashby", "Barlow", "Birch", "Brook", "Calder", "Carver", "Cole", "Dale", "Dorn",
    "Ember", "Falk", "Fenn", "Frost", "Gale", "Glenn", "Hale", "Harrow", "Heath", "Holm", "Ivers",
    "Jarl", "Keller", "Kite", "Lark", "Linden", "Lowe", "Marsh", "Mills", "Moor", "Nash", "North",
    "Oakes", "Orme", "Park", "Pell", "Quill", "Rain", "Reed", "Ridge",
];

pub(super) const DEPARTMENTS: [&str; 8] = [
    "Engineering",
    "Sales",
    "Operations",
    "Support",
    "People",
    "Legal",
    "Logistics",
    "Research",
];

/// The applications of the organization.
pub(super) const APPLICATIONS: [&str; 14] = [
    "Mail",
    "Calendar",
    "Wiki",
    "Payroll",
    "Customers",
    "Source Code",
    "Tickets",
    "Chat",
    "Travel",
    "Expenses",
    "Learning",
    "Reports",
    "Storage",
    "Whiteboard",
];

/// Names that attackers try everywhere.
pub(super) const GUESSES: [&str; 14] = [
    "admin",
    "administrator",
    "backup",
    "helpdesk",
    "info",
    "it.support",
    "office",
    "payroll",
    "root",
    "scanner",
    "test",
    "vpn",
    "sales",
    "reception",
];
