//! The people of the demo organization. All of them are invented.

use af_model::UtcMillis;

use super::clock::moment;
use super::network::{Client, DUBLIN, LISBON, Place, TORONTO};

/// Given and family name, in the order of the departments below.
const NAMES: [(&str, &str); 60] = [
    ("Ada", "Alder"),
    ("Hugo", "Ashby"),
    ("Noor", "Barlow"),
    ("Mila", "Birch"),
    ("Edda", "Brook"),
    ("Arlo", "Calder"),
    ("Asha", "Carver"),
    ("Bela", "Cole"),
    ("Bruno", "Dale"),
    ("Cato", "Dorn"),
    ("Clara", "Ember"),
    ("Dario", "Falk"),
    ("Eero", "Fenn"),
    ("Elin", "Frost"),
    ("Emre", "Gale"),
    ("Finn", "Glenn"),
    ("Gita", "Hale"),
    ("Goran", "Harrow"),
    ("Hana", "Heath"),
    ("Ida", "Holm"),
    ("Ilan", "Ivers"),
    ("Ines", "Jarl"),
    ("Ivo", "Keller"),
    ("Jana", "Kite"),
    ("Jiro", "Lark"),
    ("Joan", "Linden"),
    ("Jules", "Lowe"),
    ("Kaja", "Marsh"),
    ("Kemal", "Mills"),
    ("Kira", "Moor"),
    ("Lars", "Nash"),
    ("Leila", "North"),
    ("Lev", "Oakes"),
    ("Lina", "Orme"),
    ("Luca", "Park"),
    ("Mara", "Pell"),
    ("Mateo", "Quill"),
    ("Nadia", "Rain"),
    ("Nils", "Reed"),
    ("Odile", "Ridge"),
    ("Omar", "Roper"),
    ("Paula", "Rowan"),
    ("Petra", "Sable"),
    ("Quim", "Sand"),
    ("Rafa", "Shaw"),
    ("Runa", "Slate"),
    ("Sami", "Stone"),
    ("Silke", "Storm"),
    ("Tariq", "Tarn"),
    ("Una", "Thorn"),
    ("Vera", "Vale"),
    ("Yara", "Vane"),
    ("Zeno", "Wade"),
    ("Anja", "Ware"),
    ("Dalia", "West"),
    ("Esra", "Wren"),
    ("Fadil", "Yarrow"),
    ("Fenna", "York"),
    ("Jon", "Zell"),
    ("Tess", "Zorn"),
];

/// Department, the number of its first person, the title of its head and of everybody else.
const DEPARTMENTS: [(&str, usize, &str, &str); 8] = [
    ("Executive", 0, "Chief Executive Officer", "Vice President"),
    ("Engineering", 4, "Head of Engineering", "Engineer"),
    ("Sales", 22, "Head of Sales", "Account Manager"),
    ("Finance", 34, "Head of Finance", "Accountant"),
    (
        "Operations",
        41,
        "Head of Operations",
        "Operations Specialist",
    ),
    ("People", 49, "Head of People", "People Partner"),
    ("Legal", 53, "General Counsel", "Counsel"),
    ("IT", 55, "Head of IT", "System Administrator"),
];

/// The people the stories are about.
pub(crate) mod role {
    pub(crate) const EXECUTIVE_ASSISTANT: usize = 3;
    pub(crate) const HIJACKED: usize = 8;
    pub(crate) const FALSE_ALARM: usize = 11;
    pub(crate) const PUSH_BOMBED: usize = 14;
    pub(crate) const RENAMED: usize = 18;
    pub(crate) const NEWCOMER: usize = 21;
    pub(crate) const TRAVELLER: usize = 25;
    pub(crate) const LEAKED_SALES: usize = 27;
    pub(crate) const LEAVER: usize = 30;
    pub(crate) const ON_LEAVE: usize = 33;
    pub(crate) const FINANCE: [usize; 3] = [35, 37, 39];
    pub(crate) const LEAKED_OPERATIONS: usize = 43;
    pub(crate) const SECOND_NAME: usize = 46;
    pub(crate) const PARTNER_RISK: usize = 50;
    pub(crate) const HEAD_OF_IT: usize = 55;
    pub(crate) const ADMINISTRATOR: usize = 56;
    pub(crate) const HELP_DESK: usize = 58;
    pub(crate) const BACKUP_SERVICE: usize = 60;
}

/// One account of the organization.
pub(crate) struct Member {
    pub(crate) number: usize,
    pub(crate) uid: String,
    pub(crate) login: String,
    /// As the directory has it: some are written with capitals.
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) department: &'static str,
    pub(crate) title: &'static str,
    pub(crate) place: &'static Place,
    pub(crate) manager: Option<usize>,
    pub(crate) user_type: &'static str,
    pub(crate) status: &'static str,
    pub(crate) created: UtcMillis,
    pub(crate) deactivated: Option<UtcMillis>,
    /// Former and further names: key, first instant, first instant after.
    pub(crate) aliases: Vec<(String, Option<UtcMillis>, Option<UtcMillis>)>,
    pub(crate) is_privileged: bool,
    pub(crate) is_vip: bool,
    /// The hash of the browser's cookie.
    dt_hash: String,
}

impl Member {
    /// At the office.
    pub(crate) fn at_office(&self) -> Client {
        self.own(Client::office(self.number, self.place))
    }

    /// At home.
    pub(crate) fn at_home(&self) -> Client {
        self.own(Client::home(self.number, self.place))
    }

    /// Away.
    pub(crate) fn on_the_road(&self, place: &'static Place) -> Client {
        self.own(Client::roaming(self.number, place))
    }

    fn own(&self, client: Client) -> Client {
        Client {
            dt_hash: Some(self.dt_hash.clone()),
            ..client
        }
    }

    /// Whether the account can sign in at an instant.
    pub(crate) fn works_at(&self, at: UtcMillis) -> bool {
        self.status != "STAGED"
            && self.status != "SUSPENDED"
            && self.deactivated.is_none_or(|left| at < left)
    }

    /// Whether a human is behind it.
    pub(crate) fn is_human(&self) -> bool {
        self.user_type == "employee"
    }
}

/// Everybody: 60 people and three accounts without one.
pub(crate) fn cast() -> Vec<Member> {
    let mut cast: Vec<Member> = (0..NAMES.len()).map(employee).collect();
    let robots = [
        ("svc-backup", "Backup Service", "service"),
        ("build-bot", "Build Bot", "bot"),
        ("hr-sync", "HR Synchronization", "system"),
    ];
    for (login, name, user_type) in robots {
        let number = cast.len();
        cast.push(Member {
            name: name.to_owned(),
            department: "IT",
            title: "",
            place: &LISBON,
            manager: Some(role::HEAD_OF_IT),
            user_type,
            ..member(number, login, "")
        });
    }
    cast
}

fn member(number: usize, given: &str, family: &str) -> Member {
    let local = if family.is_empty() {
        given.to_owned()
    } else {
        format!("{}.{}", given.to_lowercase(), family.to_lowercase())
    };
    let login = format!("{local}@example.com");
    Member {
        number,
        uid: okta_id("00u", &login),
        email: login.clone(),
        name: format!("{given} {family}"),
        department: "",
        title: "",
        place: &LISBON,
        manager: None,
        user_type: "employee",
        status: "ACTIVE",
        created: moment(&format!(
            "202{}-0{}-1{} 09:00:00",
            1 + number % 5,
            1 + number % 9,
            number % 10
        )),
        deactivated: None,
        aliases: Vec::new(),
        is_privileged: false,
        is_vip: false,
        dt_hash: blake3::hash(format!("browser of {login}").as_bytes())
            .to_hex()
            .to_string(),
        login,
    }
}

fn employee(number: usize) -> Member {
    let (given, family) = NAMES[number];
    let mut member = member(number, given, family);
    let &(department, first, head, others) = DEPARTMENTS
        .iter()
        .rfind(|(_, first, ..)| *first <= number)
        .expect("the first department starts with the first person");
    member.department = department;
    member.title = if number == first { head } else { others };
    member.manager = match number {
        0 => None,
        _ if number == first => Some(0),
        _ => Some(first),
    };
    member.place = match number % 5 {
        0..=2 => &LISBON,
        3 => &DUBLIN,
        _ => &TORONTO,
    };
    member.is_privileged = department == "IT";
    member.is_vip = department == "Executive" && number != role::EXECUTIVE_ASSISTANT;
    if number % 8 == 5 {
        // The login is not the address: events name the login, mail attacks the address.
        let initial = &given[..1];
        member.email = format!(
            "{}.{}@example.com",
            initial.to_lowercase(),
            family.to_lowercase()
        );
    }
    if number % 9 == 4 {
        member.email = format!("{given}.{family}@Example.com");
    }
    match number {
        role::EXECUTIVE_ASSISTANT => {
            member.title = "Executive Assistant";
            member.status = "LOCKED_OUT";
        }
        role::NEWCOMER => {
            member.status = "STAGED";
            member.created = moment("2026-11-18 10:12:00");
        }
        role::LEAVER => {
            member.status = "DEPROVISIONED";
            member.deactivated = Some(moment("2026-11-05 17:00:00"));
        }
        role::ON_LEAVE => member.status = "SUSPENDED",
        // A new name since summer; the former one is kept until 4 November.
        role::RENAMED => member.aliases.push((
            "hana.former@example.org".to_owned(),
            None,
            Some(moment("2026-11-04 00:00:00")),
        )),
        role::SECOND_NAME => {
            member
                .aliases
                .push(("sami@example.org".to_owned(), None, None));
        }
        _ => {}
    }
    member
}

/// An id as Okta makes them, 20 characters with a prefix of their kind, always the same for a name.
pub(crate) fn okta_id(prefix: &str, name: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let hash = blake3::hash(name.as_bytes());
    let tail = hash
        .as_bytes()
        .iter()
        .map(|byte| char::from(DIGITS[usize::from(*byte) % 62]));
    prefix.chars().chain(tail).take(20).collect()
}
