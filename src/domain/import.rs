//! Lists of subscribers from elsewhere (rules.md section 14): what a column holds, and how states and dates are written there.

mod dates;

use super::Invalid;
use super::id::PlanId;
use super::rate::Rate;
use super::text::{ascii_digits, searchable};

pub use dates::{DateOrder, Orders, ReadDate, read_date};

/// What a column becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Column {
    UserName,
    Password,
    Plan,
    FullName,
    Phone,
    Email,
    Address,
    Notes,
    State,
    ExpiresAt,
    CreatedAt,
    Macs,
    StaticAddress,
    MaxSessions,
    Nas,
}

impl Column {
    pub const ALL: [Column; 15] = [
        Column::UserName,
        Column::Password,
        Column::Plan,
        Column::FullName,
        Column::Phone,
        Column::Email,
        Column::Address,
        Column::Notes,
        Column::State,
        Column::ExpiresAt,
        Column::CreatedAt,
        Column::Macs,
        Column::StaticAddress,
        Column::MaxSessions,
        Column::Nas,
    ];

    /// The word in forms and on the command line, which is also the heading that we give such a column.
    pub fn word(self) -> &'static str {
        match self {
            Column::UserName => "username",
            Column::Password => "password",
            Column::Plan => "plan",
            Column::FullName => "full_name",
            Column::Phone => "phone",
            Column::Email => "email",
            Column::Address => "address",
            Column::Notes => "notes",
            Column::State => "status",
            Column::ExpiresAt => "expires_at",
            Column::CreatedAt => "created_at",
            Column::Macs => "mac",
            Column::StaticAddress => "static_ip",
            Column::MaxSessions => "max_sessions",
            Column::Nas => "nas",
        }
    }

    pub fn from_word(word: &str) -> Option<Column> {
        Column::ALL.into_iter().find(|column| column.word() == word)
    }

    /// As people call it.
    pub fn label(self) -> &'static str {
        match self {
            Column::UserName => "User name",
            Column::Password => "Password",
            Column::Plan => "Plan",
            Column::FullName => "Full name",
            Column::Phone => "Phone",
            Column::Email => "E-mail",
            Column::Address => "Address",
            Column::Notes => "Notes",
            Column::State => "State",
            Column::ExpiresAt => "Expires",
            Column::CreatedAt => "Customer since",
            Column::Macs => "MAC addresses",
            Column::StaticAddress => "Static address",
            Column::MaxSessions => "Sessions at once",
            Column::Nas => "Only this NAS",
        }
    }

    /// Whether several columns may become it, such as a first and a last name.
    pub fn takes_several(self) -> bool {
        matches!(
            self,
            Column::FullName | Column::Address | Column::Notes | Column::Macs
        )
    }

    /// What a heading most likely means; `None` for what is better left out. What has no place of its own here, such as a second
    /// phone or the balance in another program, goes into the notes, so that it is not lost.
    pub fn guess(heading: &str) -> Option<Column> {
        let heading = bare(heading);
        Some(match heading.as_str() {
            note if PLAIN_NOTES.contains(&note) => Column::Notes,
            "username"
            | "user"
            | "userid"
            | "login"
            | "loginname"
            | "pppoe"
            | "pppoeusername"
            | "pppoeuser"
            | "account"
            | "اسمالمستخدم"
            | "المستخدم"
            | "اليوزر" => Column::UserName,
            "password"
            | "pass"
            | "pppoepassword"
            | "secret"
            | "value"
            | "كلمهالمرور"
            | "كلمهالسر"
            | "الباسورد" => Column::Password,
            "plan" | "planname" | "service" | "servicename" | "srvname" | "profile"
            | "profilename" | "package" | "packagename" | "group" | "groupname" | "الباقه"
            | "الخدمه" | "الاشتراك" => Column::Plan,
            "fullname"
            | "name"
            | "customer"
            | "customername"
            | "firstname"
            | "lastname"
            | "surname"
            | "الاسم"
            | "الاسمالكامل"
            | "اسمالمشترك"
            | "اسمالزبون" => Column::FullName,
            "phone" | "mobile" | "phonenumber" | "mobilenumber" | "tel" | "telephone" | "gsm"
            | "الهاتف" | "رقمالهاتف" | "الجوال" | "الموبايل" => {
                Column::Phone
            }
            "email" | "mail" | "emailaddress" | "البريد" | "البريدالالكتروني" => {
                Column::Email
            }
            "address" | "street" | "building" | "region" | "city" | "area" | "zone" | "العنوان"
            | "المنطقه" | "المدينه" | "الحي" => Column::Address,
            "status" | "state" | "enabled" | "active" | "الحاله" => Column::State,
            "expiresat"
            | "expires"
            | "expiry"
            | "expirydate"
            | "expiration"
            | "expirationdate"
            | "expiredate"
            | "enddate"
            | "validuntil"
            | "until"
            | "due"
            | "duedate"
            | "paiduntil"
            | "till"
            | "تاريخالانتهاء"
            | "الانتهاء" => Column::ExpiresAt,
            "createdat"
            | "created"
            | "createdon"
            | "creationdate"
            | "registered"
            | "registeredat"
            | "startdate"
            | "joined"
            | "تاريخالاشتراك"
            | "تاريخالانشاء" => Column::CreatedAt,
            "mac" | "macaddress" | "macs" | "callerid" | "callingstationid" => Column::Macs,
            "staticip" | "ip" | "ipaddress" | "framedipaddress" | "remoteaddress" => {
                Column::StaticAddress
            }
            "maxsessions" | "sharedusers" | "simultaneoususe" | "simuse" => Column::MaxSessions,
            "nas" | "nasname" | "router" | "onlynas" => Column::Nas,
            "phone2" | "nationalid" | "contractno" | "contract" | "reseller" | "owner"
            | "manager" | "balance" | "debt" | "tags" | "lat" | "lon" | "priceoverride"
            | "discount" => Column::Notes,
            _ => return None,
        })
    }

    /// Whether a heading says no more than that this is a note.
    pub fn is_plain_note(heading: &str) -> bool {
        PLAIN_NOTES.contains(&bare(heading).as_str())
    }
}

/// Headings that add nothing to a note.
const PLAIN_NOTES: [&str; 9] = [
    "notes",
    "note",
    "comment",
    "comments",
    "remark",
    "remarks",
    "description",
    "ملاحظات",
    "ملاحظه",
];

/// A heading without what programs differ in: case, blanks, signs between the words.
fn bare(heading: &str) -> String {
    let letters = searchable(heading);
    letters.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// How the letters of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    /// Either order of octets; told by the mark at the beginning.
    Utf16,
    /// Arabic, and the accents of French.
    Windows1256,
    /// Western Europe.
    Windows1252,
}

impl Charset {
    pub const ALL: [Charset; 4] = [
        Charset::Utf8,
        Charset::Utf16,
        Charset::Windows1256,
        Charset::Windows1252,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Charset::Utf8 => "utf-8",
            Charset::Utf16 => "utf-16",
            Charset::Windows1256 => "windows-1256",
            Charset::Windows1252 => "windows-1252",
        }
    }

    pub fn from_word(word: &str) -> Option<Charset> {
        Charset::ALL.into_iter().find(|known| known.word() == word)
    }
}

/// How a person wants a file to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// `None` is as it looks.
    pub charset: Option<Charset>,
    /// Whether the first line holds headings.
    pub has_headings: bool,
    /// What each column becomes, in their order; one that becomes nothing, or for which there is no entry, is left out.
    pub columns: Vec<Option<Column>>,
    /// `None` is as the file shows, if it does.
    pub dates: Option<DateOrder>,
    /// For those for whom the file names none.
    pub plan: Option<PlanId>,
    /// Names of plans in the file that mean a plan which is called otherwise here.
    pub same_plans: Vec<(String, PlanId)>,
    /// Of plans that are made because only the file has them.
    pub new_rate: Rate,
    /// Rows with a problem are left out, instead of holding everything up.
    pub leaves_out: bool,
}

/// What a file says of somebody's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadState {
    Enabled,
    Suspended,
    /// Enabled, and the term is over.
    Expired,
}

impl ReadState {
    pub fn read(text: &str) -> Result<ReadState, Invalid> {
        Ok(match searchable(&ascii_digits(text.trim())).as_str() {
            "" | "enabled" | "enable" | "active" | "1" | "yes" | "true" | "on" | "فعال" | "نشط" => {
                ReadState::Enabled
            }
            "suspended" | "disabled" | "disable" | "blocked" | "inactive" | "banned" | "0"
            | "no" | "false" | "off" | "معطل" | "موقوف" => ReadState::Suspended,
            "expired" | "منتهي" => ReadState::Expired,
            _ => return Err(Invalid::new("Not a state: active, suspended or expired")),
        })
    }
}

/// Whether a spreadsheet wrote a long number its short way, such as `9.64771E+11`, so that digits are lost.
pub fn is_shortened(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.trim().split_once(['E', 'e']) else {
        return false;
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    whole.len() == 1
        && is_digits(whole)
        && is_digits(part)
        && exponent.strip_prefix('+').is_some_and(is_digits)
}

#[cfg(test)]
mod tests;
