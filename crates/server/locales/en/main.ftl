# Words of every page. One message, one line; the names begin with the page they stand on.

# Frame
sample = This is a sample organisation. Nobody and nothing in it is real.
skip = Skip to the page
brand = Stead, home
menu = Menu
menu-main = Main
menu-home = Home
menu-team = Team
menu-overview = Overview
menu-people = People
menu-devices = Devices
menu-rules = Rules
menu-proof = Proof
menu-ledger = Ledger
menu-system = System
menu-record = What we know about you
menu-search = Search
foot = Foot
foot-ways = Signing in and language
foot-policy = Policy
foot-stead = Stead keeps work done away from the office safe, and proves it.
sign-out = Sign out
go-home = Go to your home page
go-on = Go on
never-mind = Never mind
keep = Save
change = Change
show = Show
remove = Remove
done = Done
open = Open
late = Late
none = None
next = Next
not-yet = Not yet
pages = Pages
here = You are here
form-summary = Something here needs another look:

# Times
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
weekday-1 = Monday
weekday-2 = Tuesday
weekday-3 = Wednesday
weekday-4 = Thursday
weekday-5 = Friday
weekday-6 = Saturday
weekday-7 = Sunday
time-long = { $weekday } { $day } { $month } { $year }, { $time }
time-short = { $day } { $month }, { $time }
time-short-year = { $day } { $month } { $year }, { $time }
time-deadline = { $weekday } { $day } { $month }, { $time }
date = { $day } { $month } { $year }
weekday-brief-1 = Mon
weekday-brief-2 = Tue
weekday-brief-3 = Wed
weekday-brief-4 = Thu
weekday-brief-5 = Fri
weekday-brief-6 = Sat
weekday-brief-7 = Sun
time-brief = { $weekday } { $time }
day-brief = { $day } { $month }
yes = Yes
no = No
nothing = Nothing
ago-now = just now
ago-minutes = { $n } minutes ago
ago-hours = { $n } hours ago
ago-days = { $n } days ago
length-days = { $n ->
    [one] { $n } day
   *[other] { $n } days
  }
length-hours = { $n ->
    [one] { $n } hour
   *[other] { $n } hours
  }
length-minutes = { $n ->
    [one] { $n } minute
   *[other] { $n } minutes
  }
grace = { $length } from the first failure
grace-none = None: it counts at once

# Judgements
standing-good = Good
standing-due = Due
standing-lapsed = Lapsed
standing-unknown = Unknown
outcome-pass = Pass
outcome-fail = Fail
outcome-fail-due = Fail, due
outcome-unknown = Unknown
outcome-excepted = Excepted
outcome-not-applicable = Not applicable
window-open = Open
window-until = Until { $time }
window-closed = Closed
tier-open = Everyday
tier-standard = Internal
tier-restricted = Restricted

# Roles and states
role = Role
roles = Roles
role-manager = Manager
role-coordinator = Telework coordinator
role-security = Security
role-records = Records officer
role-auditor = Auditor
role-operator = Operator
state-invited = Invited
state-active = Active
state-on_leave = On leave
state-leaving = Leaving
state-gone = Has left

# Fields
field-name = Name
field-email = Email address
field-staff_number = Staff number
field-unit = Unit
field-manager = Manager
field-state = State
field-last_day = Last day
field-added = Written down
field-language = Language
field-zone = Time zone
field-role = Role
field-password = Password
field-code = Code
field-empty = This is empty. Fill it in.
email-hint = For signing in and for messages.
email-wrong = This is no email address. One looks like sam@example.org.
email-taken = Somebody else has this address.
text-nul = The text holds a NUL character. Take it out and send it again.
body-large = That's too large. At most { $kilobytes } KiB are taken here.
manager-elsewhere = They aren't in a unit that you coordinate, and don't manage anyone yet. Ask their coordinator to name them first.
email-of-trusted = They hold a role, manage people, or are named for break-glass access, so an operator changes their address.
state-of-trusted = They hold a role, manage people, or are named for break-glass access. Ask an operator to take their roles back, and give their people another manager, first.
number-taken = Somebody else has this number.
staff-number-hint = The number that your other systems know them by. It may be empty.
manager-hint = The email address of whoever answers for them, when it is not the unit’s manager. It may be empty.
manager-self = Nobody answers for themselves. Name somebody else, or leave it empty.
manager-unknown = Nobody has this address. Add them first, or correct it.
unit-unknown = There is no such unit that you may put people into. Choose another.
language-unknown = This language is not there yet. Choose one of the list.
zone-unknown = This time zone is not known. Choose one of the list, such as America/Sao_Paulo.

# What went wrong
store-away = We can’t save right now. Nothing was changed. Try again in a minute.
may-be-saved = We can’t tell whether this was saved. Reload the page to check before you try again.
our-fault = It is our fault, and nothing was changed. Try again; if it stays so, tell us.
form-wrong = Look at what is said of each field, and send it again.
forbidden = Your roles do not open this. Whoever runs telework in your unit can say why, or do it for you.
cross-site = This came from another site. Open the page here and try again.
nothing-here = There is nothing at this address. Start from your home page.
wrong-method = This cannot be done to this address.
panicked = It is our fault, and nothing was changed. The log says more.
nothing-changed = Nothing would change. What you sent is there already.
proof-needed = Too much time has passed since you showed who you are. Open the page again; it asks you once more.
purpose-needed = Another person’s record opens to a purpose alone. Open it again and say what for.
sign-in-needed = Sign in first.
problem-explained = This page explains a kind of problem. Each time it happens, the message says what to do.

# Signing in
sign-in-title = Sign in to Stead
sign-in-passkey = Sign in with a passkey
sign-in-passkey-hint = With your fingerprint, your face, or the lock of your device. Nothing to remember, nothing to steal.
sign-in-password = Or with a password
sign-in-press = Sign in
sign-in-wrong = Address and password do not go together. Check both; capital letters count.
sign-in-slow-down = Too many attempts. Try again in { $seconds } seconds; a passkey works at once.
sign-in-begin-again = That took too long, or was done already. Begin again.
sign-in-outside = Sign in with { $name }
outside-away = The other side does not answer. Try again in a minute, or sign in another way.
outside-not-confirmed = The other side did not confirm it. Begin again, or sign in another way.
outside-no-email = The other side does not vouch for an email address of yours. Ask whoever runs it.
outside-another = Your address is linked to another account there. Ask your telework coordinator to reset how you sign in.
outside-unknown = You are not in the directory here. Ask your telework coordinator to add you.
sign-in-trouble = You cannot sign in
sign-in-trouble-person = Your telework coordinator can send you a link with which you set it up anew.
sign-in-trouble-operator = Whoever runs this server makes a link for themselves with
link-sign-in = This link works once. The session lasts until you sign out, for a day at most.
link-sign-in-press = Sign in
link-invite = Welcome. This link is yours alone and works once. Next you choose how you sign in from now on.
link-invite-press = Begin
link-reset = This link works once. It signs you out everywhere, and you choose anew how you sign in.
link-reset-press = Begin
link-gone = This link was used, or its time has passed. Ask whoever sent it for another.
prove-title = Show once more that it is you
prove-lead = This part is sensitive, so we ask again. It counts for ten minutes.
prove-passkey = With a passkey
prove-none = You have signed in by a link. Sign out, and ask for another link.
code-title = One more step: your code
code-lead = Your password fits. Now type the code that your authenticator shows.
code-hint = Six digits. Without your phone, type one of your recovery codes.
code-wrong = This code does not fit, or was used. Wait for the next one and type that.
code-on-already = Your authenticator is on already. Remove it first, if you want another.
code-needed-by-password = Your password is too short to stand alone. Set a longer one first, or add a passkey and remove the password.
code-unusable = Your authenticator cannot be checked just now. Whoever runs the server must look; a passkey works meanwhile.

# Ways in
ways-title = Signing in and language
ways-lead = How you sign in, where you are signed in, and how pages speak to you.
ways-welcome = Choose how you sign in
ways-welcome-lead = A passkey is quickest and safest. A long password does as well. One of them is enough.
ways-last = This is your only way in. Add another first.
passkeys = Passkeys
passkeys-why = A passkey lives on your device and opens with its lock. Nobody can guess it or talk you out of it.
passkey-since = Since { $date }
passkey-name = What you call it
passkey-name-hint = Such as: work laptop, blue key.
passkey-add = Add a passkey
passkey-wrong = This passkey was not taken. Try again, or sign in another way.
passkey-there = This passkey is there already.
passkey-most = You have very many passkeys. Remove one first.
passkey-needs-name = Passkeys need a server with a name. This one is reached by a number.
password-since = Set on { $date }.
password-none = You have none. With a passkey you need none.
password-new = New password
password-hint = At least { $least } characters. Three or four words that do not belong together are good. It never expires.
password-set = Set the password
password-remove = Remove the password
password-short = This has fewer than { $least } characters. Add another word.
password-long = This has more than { $most } characters. Take some away.
password-common = Many people use this. Choose words that are only yours.
password-about-you = This is mostly your name or where you work. Choose other words.
password-guessable = This is easy to guess. Add a word or two that do not belong together.
password-wrong = This is not your password. Check it; capital letters count.
code-heading = Authenticator
code-why = A second step after the password: an app on your phone shows a new code every half minute. With it, a shorter password will do.
code-on = On
code-set-up = Set up an authenticator
code-remove = Remove the authenticator
code-step-app = Open the authenticator app on your phone, or install one. Any will do.
code-step-scan = Let it read this picture.
code-step-type = Or type this
code-picture = Picture for your authenticator app; the same as text stands below
code-step-code = Type the code that it shows.
code-confirm = Turn it on
recovery-title = Keep these codes safe
recovery-lead = Each one lets you in once without your phone. We show them only now. Print them, or put them into your password manager.
recovery-kept = I have kept them
recovery-left = { $n ->
    [one] { $n } recovery code left.
   *[other] { $n } recovery codes left.
  }
sessions = Where you are signed in
sessions-why = Each ends by itself after eight hours without use, and after a day at most.
sessions-end = Sign out everywhere else
session-this = This one
session-end = Sign out
session-used = used { $ago }
method-passkey = Passkey
method-password = Password
method-password-code = Password and code
method-password-recovery = Password and recovery code
method-outside = Your organisation’s sign-in
method-link = One-time link
outside = Accounts elsewhere that sign you in
speak = Language and time
as-browser = As your browser asks
as-server = As the server has it

# Looking at others
look-title = What for?
look-headline = What do you need { $name }’s record for?
look-lead = This look is written down. { $name } sees who looked, when and what for.
look-purpose = What for
look-words = In your words
look-words-hint = A few words, such as the number of a case. It may be empty, but for another purpose.
look-press = Open the record
purpose-help = To help them with something
purpose-follow-up = To follow up something that is due
purpose-incident = Because of a loss or an incident
purpose-review = For a review or an audit
purpose-directory = To keep the directory right
purpose-other = For another purpose
purpose-choose = Choose what you need it for.
purpose-say = Say in a few words what you need it for.

# Home
home-allow = You are cleared to work away from the office.
home-limit = You are cleared for part of your work.
home-deny = You are not cleared to work away from the office just now.
home-no-device = You are not cleared yet: no device of yours is known.
home-on-leave = You are on leave. Nothing waits for you.
home-lead-no-device = Add the device you work on, and the doors open as soon as it is well.
home-lead-nothing = Everything is open to you. Nothing waits.
home-lead-by = Everything is open to you. One thing needs doing by { $time }.
home-lead-open = Everything is open to you. There is something you can do, when it suits you.
home-lead-limit = Some doors are closed until one thing is done.
home-lead-deny = One thing opens the doors again. It is below, with the way to do it.
home-next = The one thing to do next
home-nothing = Nothing to do
home-nothing-why = When something waits, it stands here first, with the way to do it.
home-coming = Coming up
home-more = { $n } more on their devices’ pages
home-devices = Your devices
home-devices-short = Devices
home-devices-none = The devices you work on appear here.
home-rules = Rules that apply to you
home-rules-why = { $n } rules are asked of the devices you work on. Each says why.
home-rules-all = Read them
home-looks = { $people ->
    [0] In { $month }, nobody looked at your record.
    [one] In { $month }, one person looked at your record and said why.
   *[other] In { $month }, { $people } people looked at your record, and each said why.
  }
home-record = See all of it, and who looked
show-me-how = Show me how
why-we-ask = Why we ask
device-not-heard = Not heard yet
device-waits = { $n ->
    [0] Nothing waits
    [one] 1 thing to look at
   *[other] { $n } things to look at
  }
device-checked = Checked { $ago }
add-title = Add your first device
add-ask = Ask your telework coordinator for an enrolment code.
add-ask-whom = That is: { $names }.
add-install = On the device, with Stead installed, type
add-code = CODE
add-look = To see what it finds, before or after, type
thing-was-by = It was to be done by { $time }.
thing-by = By { $time }.
thing-first-device = Add the device you work on
thing-first-device-why = Until then nothing is open to you away from the office.
thing-silent = “{ $device }” has not been heard for long
thing-silent-why = Turn it on and connect it. If you do not use it any more, tell your telework coordinator.
thing-return = Give back “{ $device }”
thing-return-why = It belongs to the organisation.
thing-passkey = Add a passkey
thing-passkey-why = Signing in becomes quicker, and nobody can talk you out of it.
thing-attest = Confirm your team: { $unit }
thing-attest-why = Once a month, in about ten minutes: is everybody and everything as it should be?
thing-finding-due = On “{ $device }”. After the deadline some doors close until it is done.
thing-finding-late = On “{ $device }”. Some doors are closed until it is done.
thing-finding-unknown = On “{ $device }”. It could not be told, and that counts as not done.
thing-finding-advice = On “{ $device }”. Advice; it closes nothing.

# What we know about you
record-headline = { $n ->
    [one] We hold { $n } fact about you and your devices.
   *[other] We hold { $n } facts about you and your devices.
  }
record-lead = This is all of it, with what it is for and how long it is kept. Nobody else sees more of it than you.
record-export = The same for programs (JSON)
record-print = All of it, to print (PDF)
print-away = No document can be made just now. What is held on you is on this page, and in the file for programs. Try again in a minute.
print-made = { $name }, { $time }
print-fact = What it is
print-says = What it says
print-nothing = Nothing.
record-looks = Who looked, and why
record-looks-none = Nobody has looked at this record.
record-looks-year = { $n ->
    [one] In a year, one look by one person.
   *[other] In a year, { $n } looks by { $people } people.
  }
record-who = Who
record-when = When
record-what-for = What for
record-entry = Ledger entry
record-purpose = What for:
record-kept = Kept:
record-directory = You, as the directory has you
record-directory-purpose = To know who you are, who answers for you and what you may do.
record-directory-kept = While you work here and a year after your last day. Then it is erased.
record-ways = How you sign in
record-ways-purpose = To let you in and nobody else. Secrets are kept so that we cannot read them.
record-ways-kept = Until you remove them or leave. Sessions end after a day at most, and are forgotten after thirty.
record-passkey = Passkey
record-password = Password, set on
record-authenticator = Authenticator, since
record-recovery = Recovery codes left
record-outside = Account elsewhere
record-session = Session
record-device = Your device “{ $device }”
record-device-purpose = To judge whether the device is safe to work on. The device sends nothing that is not listed here.
record-device-kept = The last report whole, until a year after your last day; of earlier ones only how the standing changed.
record-device-name = What it calls itself
record-device-enrolled = Enrolled
record-device-revoked = Not heard any more since
record-device-heard = Last heard
record-device-standing = Standing
record-device-certificate = Certificate for connections
record-device-certificate-until = good until { $time }
record-device-tunnel = Address and public key in the tunnel “{ $tunnel }”
record-device-changed = Standing changed on
record-attested = What was said of you each month
record-attested-purpose = Whoever answers for you confirms once a month that all is as it should be.
record-attested-kept = While you work here and a year after your last day. Then the words are erased.
record-ledger = In the ledger
record-ledger-why = The ledger names you by this number alone. What it proves about you holds no name, no address and no content.
device-owner = Owned by
device-owner-us = The organisation
device-owner-you = You
device-owner-person = The person

# Team
team-headline = { $n ->
    [0] Nobody is in this team.
    [one] { $open } of { $n } person is cleared for everything.
   *[other] { $open } of { $n } people are cleared for everything.
  }
team-lead = { $unit }: who is cleared for what, from the standings of their devices. Opening a name asks what for.
team-attest-due = The monthly look at your team is to be done by { $time }.
team-attest = Do it now
team-attested = You looked at your team on { $date }. The next look comes with the next month.
team-caption = People of the team and what is open to them
team-person = Person
team-waits = Waits
team-nobody = Nobody is in this unit yet.
team-below = Units below
attest-title = Monthly look
attest-headline = { $unit }, { $month }: is everything as it should be?
attest-lead = For each person: do they still work away from the office, on these devices, and have you noticed nothing that asks for a closer look?
attest-right = As it should be
attest-look = Asks for a closer look
attest-words = What you noticed
attest-no-device = No device
attest-answer = Say one of the two for everybody.
attest-say = Say in a few words what asks for a closer look.
attest-press = Confirm
attest-proof = This is written down with your name. Each person reads what you said of them.
attest-later = { $n ->
    [one] One more person comes after these.
   *[other] { $n } more people come after these.
  }
attest-nobody = Everybody has been looked at this month.
attest-many = Send at most 200 answers at once.

# Directory
people-headline = { $n ->
    [one] { $n } person in { $unit }
   *[other] { $n } people in { $unit }
  }
people-words = Name, address or number
people-here = All who are here
people-none = Nobody is like that.
people-caption = People by name
people-count = { $n ->
    [one] { $n } person
   *[other] { $n } people
  }
person-new = Add a person
person-new-lead = They are invited at first. You then send them a link with which they choose how they sign in.
person-add = Add
person-change = Change what is held on { $name }
person-seen = { $name } sees that you opened this, when and what for.
person-open = What is open to them
person-no-device = No device is enrolled for them.
person-code = Give an enrolment code
person-state = Joining and leaving
person-invite = Make a link to join
person-reset = Make a link to set up signing in anew
person-becomes = Becomes
last-day-hint = For somebody who is leaving. Access ends by itself at the end of that day.
last-day-missing = Say which day is the last.
last-day-past = This day has passed. Choose a later one, or choose that they have left.
last-day-unreadable = This is no date. Write it as 2026-12-31.
told-link = Give them this link. It works once, and is shown only now.
told-code = Give them this code. It enrols one device within three days, and is shown only now.
returned = It is back
leaving-title = Leaving: what goes back and what ends
clear-out-return = Give back “{ $device }”
clear-out-revoke = “{ $device }” is not heard any more
clear-out-access = Signing in ends
clear-out-role = { $role } of { $unit } ends
roles-headline = What { $name } is trusted with
roles-lead = A role counts for a unit and all below it. It sleeps while somebody is on leave.
roles-none = No role. Everybody sees and does what is their own.
roles-unit-hint = The role counts here and in every unit below.
roles-give = Give this role
operator-last = Nobody else runs this installation. Give the role to somebody else first.
units-title = Units
units-lead = The tree of the organisation. Roles count for a unit and all below it.
units-count = { $n ->
    [one] { $n } unit
   *[other] { $n } units
  }
unit-new = Add a unit
unit-add = Add
unit-above = Below
unit-taken = There is a unit of this name there already.
unit-named = The policy in force rolls rules out to a unit of this name. Publish a version that does not, then change the name.
unit-in-itself = A unit cannot hang below itself.
unit-name-wrong = A name has letters and no stroke.
import-title = Bring people in from a file
import-lead = First you see what would change, row by row. Nothing changes before you say so.
import-file = File
import-file-hint = Comma-separated values, at most 4 MB. Spreadsheets save them as CSV.
import-paste = Or paste it here
import-preview = Show what it would do
import-columns = The first line names the columns. Name and email are needed; a manager is named by address, a unit by its path.
import-headline = { $adds } added, { $changes } changed, { $wrong } left out
import-nothing-yet = Nothing has changed yet.
import-units = These units would be added: { $units }.
import-take = Do this
import-caption = Rows that do something, or cannot be taken
import-line = Line
import-does = What it does
import-adds = Is added, as invited
import-changes = Changes: { $fields }
import-nothing = Is there already
import-twice = The same address stands in line { $line }. Take one of them out.
import-busy = Another file of people is being read just now. Try again in a moment.
import-large = The file is too large. Send at most 4 MB and 20,000 rows.
import-unreadable = This cannot be read as comma-separated values. Save it as CSV in UTF-8.
import-heading = The first line must name the columns name and email.
import-column = The column { $column } is not known. Take it out, or rename it.
import-moved = Somebody changed the directory meanwhile. Look at the preview again.

# Search
search-title = Search
search-for = People, devices, rules
search-none = Nothing that you may see holds “{ $q }”.

# System
system-title = System
system-right = Everything runs as it should.
system-wrong = Something does not run as it should.
system-program = Program
system-version = Version
system-address = Address
system-passkeys-on = Can be used
system-operators = Operators
system-storage = Storage
system-engine = Database
system-entries = { $n ->
    [one] { $n } entry
   *[other] { $n } entries
  }
system-root = Root
system-gate = What stands behind the gate
system-behind = Behind it
system-takes = Takes
system-gate-state = Its gate
system-gate-peers = { $n ->
    [one] one device in
   *[other] { $n } devices in
}
system-gate-heard = asked { $time }
system-gate-silent = has not asked this server
system-jobs = What it does by itself
system-job = Job
system-ran = Last run
system-did = Last did something
system-state = How it went
system-well = Well
job-identity = Keeps the newest checkpoint beside the keys
job-database = Brings SQLite’s log into its main file
job-deadlines = Ends graces and notices silence
job-anchor = Anchors the last reports, daily
job-exceptions = Ends exceptions at their minute
job-cases = Takes cases a step further when it is time
job-glass = Enters what was written down at the gate while the store was away
job-retention = Forgets what is kept no longer
job-leaving = Ends access after last days

# Device
device-of = { $device } of { $name }
device-system = System
device-id = Id
device-findings = Findings
device-findings-caption = Findings of this device, worst first
device-nothing-judged = Nothing has been judged yet. On the device, run
device-no-finding = No finding is like that.
device-revoked = Revoked: it is not heard any more.
device-enrolled-only = Enrolled, and not heard yet. The first report brings the answer.
device-silent = Silent for too long. What it was like before does not count any more.
device-good = Everything that counts is as it should be.
device-lapsed = { $n ->
    [one] One thing is past the end of its grace.
   *[other] { $n } things are past the end of their grace.
  }
device-due = { $n ->
    [one] One thing needs doing, by { $time }.
   *[other] { $n } things need doing, the first by { $time }.
  }
device-revoke = Revoke this device
device-revoke-why = It is not heard any more, and opens nothing. To use it again, it must be enrolled again.
show-all = All
show-failing = Failing
show-unknown = Unknown
show-passing = Passing
outcome = Outcome
rule = Rule
we-saw = What we saw
since = Since
why-and-how = Why, and how to fix it
on-system = On { $system }
note-observe = Only written down; it closes nothing.
note-advise = Advice; it closes nothing.
note-due = Closes “{ $tier }” work when its grace ends.
note-lapsed = Closes “{ $tier }” work until it is done.
thirty-days = Thirty days
strip-label = Standing on each of the last 30 days; the changes are in the table below
today = today
no-change = No change of standing yet.
changes-caption = Changes of standing in thirty days, newest first
sealed-report = Last sealed report
signature-valid = Signature valid
signature-wrong = Signature does not fit
received = Received
number = number
judged-by = Judged by
digest = Digest
key = Key
download-verify = Download to verify offline
checkpoint-of = Checkpoint of { $n } entries

# Rules
rules-title = What the policy asks
rules-lead = Each rule is one page that you read and the server judges by. Pack { $pack }.
rules-count = { $n ->
    [one] { $n } rule
   *[other] { $n } rules
  }
rule-of = { $subject }: a rule of the pack { $pack }.
rule-judges = As Stead judges it
rule-asks = Asks
rule-when = When
rule-otherwise = Otherwise:
rule-grace = Grace
rule-costs = Closes
rule-costs-tier = “{ $tier }” work, once enforced and past its grace
rule-harm = Harm
rule-protects = Protects
rule-controls = Controls
how-to-fix = How to fix it
not-passing = Not passing
stage = Stage
stage-observe = Observed
stage-advise = Advised
stage-enforce = Enforced
comes-from = Comes from
harm-low = A nuisance
harm-medium = Weakens another measure
harm-high = Opens a way to data
harm-critical = Data is open now
serves-confidentiality = confidentiality
serves-integrity = integrity
serves-availability = availability

# Overview
overview-fresh = Every number is at most 5 seconds old.
overview-no-device = No device is enrolled yet.
overview-good = { $good } of { $all } devices are in good standing.
overview-lapsed = { $n ->
    [0] None has lapsed
    [one] One has lapsed
   *[other] { $n } have lapsed
  }
overview-more = , { $n } more than a week ago
overview-fewer = , { $n } fewer than a week ago
overview-empty = Give a person a code, and run the agent on their computer. Its first report shows here by itself.
overview-standing-caption = Standing of devices now
subject = Subject
share = Share
day = Day
overview-enforced = { $n } count for the standing
overview-advised = { $n } are told to the person
overview-observed = { $n } are only written down
overview-owner = Answers for it
overview-review = { $owner }, review every { $length }
overview-trend = Not in good standing, by day
overview-trend-title = Devices not in good standing, by day, from { $from } on { $first } to { $to } on { $last }
overview-serves = What the rules protect
overview-serves-caption = Share of findings that pass, by what the rules protect
overview-serves-note = Share of findings that pass. Unknown counts as not passing.
overview-worst = Rules that fail most
overview-none-judged = No device has been judged yet. What fails will be listed here.
overview-none-fails = No rule fails. This is good.
overview-entries = All entries
in-seven-days = In 7 days

# What people are told
foot-notices = Messages
notices-title = What you were told
notices-lead = What happened to what is yours, and how you want to hear of it.
notices-told = Told you
notices-none = Nothing yet. What happens to your devices, your account and your record is told here first.
notices-kept = Kept for ninety days.
notices-how = How you want to hear of it
notices-ways = By which ways
notices-no-mail = Mail is not set up here. Whoever runs this installation can do that.
notices-chat = Your name in the chat
notices-chat-hint = As in sam.example, without @. Empty means not there.
topic-account = What is about how you sign in always comes at once, by mail too: it may be the only sign that it was not you.
topic-devices = Your devices
about-devices = When one falls behind the rules, is not heard any more, or is well again.
topic-tasks = What waits for you
about-tasks = What is to be given back or confirmed, and reminders of it.
topic-record = Your record
about-record = When somebody opens it or changes it.
soon-now = At once, several together
soon-daily = Once a day, at eight
soon-weekly = Once a week, on Monday
soon-never = Not sent, on this page alone
channel-mail = Mail
channel-desktop = On your computer
channel-webhook = Webhook
channel-rocketchat = Rocket.Chat
channel-slack = Slack
chat-name-wrong = A name there has letters, digits, dots, dashes and underscores.
calendar-heading = Your due dates in your calendar
calendar-why = Your calendar can show what waits for you and by when. Whoever knows the address can read it, so keep it to yourself.
calendar-since = It has an address since { $date }.
calendar-begin = Make an address
calendar-anew = Make another address
calendar-end = Take the address away
calendar-told = Give this address to your calendar as a subscription. It is shown this once.
calendar-name = Stead: what waits for you
notice-authenticator-on = An authenticator was set up for your account.
notice-authenticator-off = The authenticator was taken off your account.
notice-passkey-added = A passkey was added to your account.
notice-passkey-removed = A passkey was removed from your account.
notice-password-set = Your password was set.
notice-password-removed = Your password was removed.
notice-outside-added = An account elsewhere was joined to yours.
notice-recovery-used = A recovery code was used to sign in to your account.
notice-glass = Somebody came in to { $application } in your name while it was not known whether you may.
notice-glass-of = { $name } came in to { $application } while it was not known whether they may.
notice-link-used = Somebody signed in to your account with a link.
notice-role-given = You were given a role: { $role }.
notice-role-taken = A role was taken from you: { $role }.
notice-device-enrolled = “{ $device }” was enrolled in your name.
notice-device-revoked = “{ $device }” was revoked and is not heard any more.
notice-device-due = “{ $device }” has something to mend.
notice-device-lapsed = “{ $device }” has not been mended in time. Some doors are closed until it is.
notice-device-unknown = “{ $device }” has not been heard for long.
notice-device-good = “{ $device }” keeps the policy again.
notice-deadline = “{ $device }” is to be mended by { $due }.
notice-looked = { $by } opened your record. Why is on your page.
notice-changed = { $by } changed your record.
notice-leaving = Your last day is known. What goes back by { $due } is on your page.
notice-return = Give back “{ $device }” by { $due }.
notice-return-late = “{ $device }” was to be given back by { $due }.
notice-return-missing = { $name } has not given back “{ $device }”.
notice-attest = Confirm your team { $unit } by { $due }.
notice-attest-late = Your team { $unit } was to be confirmed by { $due }.
notice-follow-up = { $n ->
    [one] In { $unit } one person is to be looked at more closely.
   *[other] In { $unit } { $n } people are to be looked at more closely.
  }
mail-subject = { $n ->
    [one] A message for you in Stead
   *[other] { $n } messages for you in Stead
  }
mail-subject-link = Your link for Stead
mail-hello = Hello { $name },
mail-waiting = What waits for you:
mail-see = Look into it
mail-join = You are invited to Stead. This link lets you in once, within seven days. Choose then how you sign in.
mail-reset = This link lets you in once, within the hour, to set up anew how you sign in. If you did not ask for it, tell your telework coordinator.
mail-foot = Stead wrote this by itself. How and how often it writes to you is yours to choose, on the page “Messages”.
told-mailed = It has also gone to their address by mail.

# How messages go out
messages-title = Messages
messages-right = Messages go out as they should.
messages-wrong = Some messages could not be delivered.
messages-lead = Who is told what is up to each person. Here is how it reaches them, and what did not.
messages-ways = Ways out
messages-not-set-up = Not set up
messages-no-mail = Start the server with --mail-server and --mail-from.
messages-dead = Given up
messages-dead-none = Nothing was given up.
messages-waiting = On their way
messages-way = By
messages-since = Since
messages-tries = Tries
messages-error = What went wrong
messages-next = Next try
messages-retry = Try again
messages-retry-all = Try all again
delivery-waiting = On their way
delivery-sent = Arrived in thirty days
delivery-dead = Given up
hooks = Other systems
hooks-none = No other system hears what happens here.
hook-add = Connect a system
hook-kind = What it is
hook-name = Name
hook-name-hint = As in: Security room.
hook-address = Address
hook-address-hint = With https. It is kept sealed and not shown again.
hook-address-private = This address is private. An operator can allow private addresses by starting the server with --private-webhooks.
hook-address-wrong = Write a whole address that begins with https://.
hook-events = What it hears
hook-events-none = Choose what it hears.
hook-people = Messages to people, by their name there (Rocket.Chat)
hook-secret = Messages are signed with this secret. It is shown this once.
hook-test = Send a test
hears-devices = How devices stand
hears-people = People and units
hears-roles = Roles
hears-access = Ways of signing in
chat-test = Stead can write here.
chat-events = { $n ->
    [one] One thing happened:
   *[other] { $n } things happened:
  }
system-messages = How messages go out
job-follow = Reads what is to be told
job-chase = Reminds
job-gather = Gathers messages
job-deliver = Sends messages
event-authenticator-off = authenticator removed
event-authenticator-on = authenticator set up
event-clear-out-begun = clear-out begun
event-clear-out-returned = something given back
event-device-enrolled = device enrolled
event-device-revoked = device revoked
event-outside-identity-added = account elsewhere joined
event-passkey-added = passkey added
event-passkey-removed = passkey removed
event-password-removed = password removed
event-password-set = password set
event-people-imported = people imported
event-person-added = person added
event-person-changed = person changed
event-person-erased = person erased
event-person-looked-at = record opened
event-person-state = person moved on
event-recovery-code-used = recovery code used
event-role-given = role given
event-role-taken = role taken
event-session-begun = signed in
event-standing-changed = standing changed
event-team-attested = team confirmed
event-unit-changed = unit changed
record-notices = How you want to be told
record-notices-purpose = To tell you what happens to what is yours, as you want it.
record-notices-kept = What you chose, until you leave. What you were told, ninety days.

# The API
limit-wrong = Ask for 1 to 200 at once.
after-wrong = Take what `next` said, as it is.
state-unknown = There is no such state.
standing-wrong = There is no such standing.
search-short = Look for at least two letters.
person-unknown = There is no such person here.
moved = Read it again, and send your change with the tag that it has then.
notice-token-made = A token was made for your account.
event-token-made = token made
tokens = Tokens for programs
tokens-lead = A program signs in with a token, for you, for what you let it do and no more. A new password ends them all.
tokens-none = No program signs in for you.
tokens-doc = What programs can do
token-made = This is the token. It is shown this once.
token-new = Make a token
token-name = What it is for
token-name-hint = As in: monthly report.
token-days = How long it is good
token-days-n = { $n } days
token-scopes = What it is good for
token-scopes-none = Choose what it is good for.
token-most = You have twenty tokens. End one first.
token-until = Until { $date }
token-used = last used { $ago }
token-unused = never used
token-end = End
scope-read = Reading what you may read
scope-own = Changing what is your own
scope-people = Adding and changing people
scope-units = Changing units
scope-roles = Giving and taking roles
scope-teams = Confirming your team
scope-devices = Enrolling and revoking devices
scope-system = Changing the installation
record-token = Token

# How it was
then-title = How it was
then-headline = How it was on { $date }
then-lead = What stood at the end of a day, from what was written down then. Days are those of UTC.
then-device-lead = What stood at the end of this day, by the entries of the ledger that prove it.
then-day = Day
then-day-wrong = Choose a day that has ended.
then-no-device = There was no device then.
then-entries = Entries by then
then-proof = Whoever kept a checkpoint from that day can verify that nothing before it was changed since.
then-rule = Rule
then-said = It said
then-from = Since
then-since = since { $time }
then-not-judged = It had not been judged by then.

# Settings and backups
settings = Settings
settings-how = Settings are given to the server when it starts, and hold until it is started anew.
setting-check-in = Devices check in every
setting-apart = Messages to the same person are apart by
setting-proxy = Something in front speaks TLS
setting-backups = Backups, how many are kept
backups = Backups
backup-last = Last backup
backup-where = Where
backup-size = Size
backup-verified = Verified in it
backup-not-verified = Written by pg_dump; verify it where it is restored.
backup-none = No backup has been made.
backup-how = Start the server with --backup-dir for one a day, or run stead-server backup.
job-audit = Checks the ledger from its first entry on
job-backup = Makes backups

mail-more = { $n ->
    [one] And one more thing.
   *[other] And { $n } more things.
  }
notice-calendar-begun = Your calendar was given an address at which others can read it.
event-calendar-begun = calendar's address made
program-link = A program lets nobody in who is trusted with a role, and not its own person. Do it on the page.
program-link-mail = The link goes to their address alone, and there is none, or no mail.
job-policy = Puts the policy in force and judges by it
job-people = Judges people and the organisation
policy-moved = Another version came into force while you were reading. Look at what changed, and confirm that.

# The policy and its versions.
menu-policy = The policy
policy-title = The policy
policy-lead = { $pack } binds everybody who works away from the office. { $owner } answers for it.
policy-since = In force since { $date }.
policy-stale = The review of this policy is overdue.
policy-own = Have you read it?
policy-first = You have not confirmed this policy yet. Read the rules below; each says why, and what to do.
policy-confirmed = You confirmed this text on { $time }.
policy-confirmed-earlier = You confirmed { $pack } on { $date }. This has changed since:
policy-confirm = I have read this
policy-confirm-proof = Your name and this exact text go into the ledger. Confirming is no consent to anything else.
policy-whole = Read it whole, on one page
policy-asks = What it asks
policy-by-installation = this installation
policy-unreadable = This version was written for an earlier Stead and cannot be shown here rule by rule.
policy-says = Say in a sentence or two what changes, and why.
policy-far = Choose a day within a year.
policy-number = A version with this number or a later one is there already. Give this one a higher number in pack.toml.
policy-no-proposal = This proposal is not open any more.
policy-changed = The stored policy isn't the one that the ledger names. Somebody changed the database: access is closed for everyone until it is restored from a backup.
policy-two = Somebody else than its author lets a version be published.
policy-two-new = Two people who don't depend on each other publish a version. You can approve seven days after you got your role, and seven days after you and the author gave each other a role or a sign-in link. Ask somebody else, or wait.
policy-two-program = A person approves a version in a browser. A token can't.
policy-day = Write the day as in 2026-12-31.
subject-device = Your devices
subject-person = You
subject-site = The place you work from
subject-item = Papers, media and documents
subject-organisation = The organisation
rule-waits = Nothing records this here yet. The rule is judged unknown, is shown so, and counts against nobody.
rule-waits-short = not recorded yet
what-to-do = What to do
next-page = Next
change-added = New rule.
change-stricter = Asks for more.
change-changed = Asks for something else.
change-looser = Asks for less.
change-removed = Asked for no more.
change-reworded = Says the same in other words.
changed-field = { $name }: { $from } before, { $to } now.
changed-grace = Time to mend it
changed-stage = Stage
changed-costs = Closes, when it is not mended
reach-title = Reached
reach-lead = { $n } of { $all } have confirmed it.
reach-due = Everybody has until { $date }.
reach-headline = { $percent } have confirmed { $pack }
reach-who = Who is missing
reach-missing = Who has not confirmed it, and why
reach-nobody = Everybody who works here has confirmed it.
reach-why = Why
reach-on-leave = On leave
reach-no-address = Has no address to be told at
reach-late = Was told; the time is over
reach-open = Was told; still has time
review-title = Review
review-due = The next review is due by { $date }.
review-add = Write a review down
review-took-part = Who took part
review-considered = What was considered
review-considered-hint = Findings, losses, exceptions, new law, what people said.
review-outcome-is = What came of it
review-kept = Kept as it is
review-changed = To be changed
review-words = What is to be done
review-press = Write it down
review-say = Say it in a few words.
review-outcome = Choose one of the two.
proposals-title = Proposals
proposals-none = Nothing is proposed.
propose-title = Propose a pack that ships
propose-lead = A pack of your own is proposed with `stead-server pack publish DIR`. What does not lint, or fails its own tests, is not taken.
propose-pack = Pack
propose-says = What changes, and why
propose-says-hint = Everybody reads this sentence.
propose-day = In force from
propose-day-hint = Empty: as soon as somebody else has approved it.
propose-press = Propose
proposal-title = Proposal: { $pack }
proposal-by = Proposed by { $name } on { $time }.
proposal-changes = What it changes
proposal-decide = Decide
proposal-approve = Publish it
proposal-withdraw = Turn it down
versions-title = Versions
version-comes = Comes
version-in-force = In force
version-coming = In force from { $date }.
version-since = Came into force on { $date }.
version-by = Written by { $author }, published by { $approver } on { $date }.
version-entry = Ledger entry { $n }
version-changed = What changed after { $pack }
version-changed-nothing = No rule has changed.
rules-how = How it is kept

notice-policy = { $pack } is in force. See what changed and confirm it.
notice-proposal = A version of the policy is proposed: { $pack }. Somebody else than its author publishes it.
notice-confirm = Confirm the policy { $pack } by { $due }.
notice-confirm-late = You were to confirm the policy { $pack } by { $due }.
notice-confirm-team = { $n ->
    [one] One of your people has not confirmed { $pack } in time.
   *[other] { $n } of your people have not confirmed { $pack } in time.
  }
event-policy-in-force = policy in force
event-policy-proposed = policy proposed
event-policy-published = policy published
event-policy-reviewed = policy reviewed
record-judged = What the rules about people found on you
record-judged-purpose = To judge what you may work on. Nothing here measures how you work.
record-judged-kept = While you work here. After that, and of earlier findings, the ledger holds the outcome alone.
record-confirmed = Versions of the policy that you confirmed
record-confirmed-purpose = To prove that the policy reached you.
record-confirmed-kept = As long as the version that you confirmed.
hears-policy = The policy
rule-stands = How it stands
rule-who-people = Who they are stands on each one’s own record, which opens for a purpose.

try-title = What if
try-ask = What if it were in force now?
try-headline = { $n ->
    [0] No device would stand worse
    [one] One device would stand worse
   *[other] { $n } devices would stand worse
  }
try-lead = What { $n } devices last reported, and what the records say of { $people } people, judged by { $pack }. Whoever confirmed the policy in force counts as having confirmed this one. Nothing has been changed.
try-unread = { $n ->
    [one] One last report could not be read.
   *[other] { $n } last reports could not be read.
  }
try-file = All of them as a file (CSV)
try-units = How devices in the units would move
try-due = Would be due
try-lapsed = Would lapse at once
try-good = Would be good
try-who = Which, and from when on
try-first = The first { $n }
try-device = Device
try-now = Now
try-then = Then
try-why = Rules
try-lapses = lapses { $time }
policy-many = Twenty proposals are open. Decide some of them first.
policy-busy = The pack could not be read just now. Try again in a minute.
changed-pack = The pack as a whole
changed-owner = Who answers for it
changed-review-every = Time between reviews
changed-silent-after = Silence after which a device is unknown
changed-tiers = Tiers
changed-data = Tables
changed-severity = Harm
changed-asks = What is judged
changed-when = When it concerns somebody
changed-controls = Controls
changed-requirements = Comes from
version-never = Never came into force: a later version did before its day.

# Exceptions, cases, terms of one person.

menu-cases = Cases
hears-fairness = Cases, exceptions and terms
exceptions-title = Exceptions
exceptions-headline = { $n ->
    [0] No exception holds now
    [one] One exception holds now
   *[other] { $n } exceptions hold now
  }
exceptions-lead = An exception lets somebody go without keeping a rule until a named time, with something done in its place. It ends by itself; going on is asked for anew.
exceptions-waiting = Exceptions that wait for a decision
exceptions-hold = In force
exceptions-past = Over
exceptions-none = There is none.
exception-asked = Waits
exception-granted = In force
exception-refused = Not given
exception-withdrawn = Taken back
exception-ended = Ended
exception-for = For
exception-asked-at = Asked
exception-decided-at = Decided
exception-ended-at = Ended
exception-until = Until
exception-state = State
exception-ask-title = Ask for an exception
exception-ask-headline = Ask for an exception: { $rule }
exception-ask-lead = If you cannot keep this rule for a while, say why and what you do in its place. Somebody who answers for it decides; you see who, and what they say.
exception-ask-lead-for = You ask for { $name }, who sees what you write and what is decided.
exception-device-which = On which device
exception-reason = Why the rule cannot be kept
exception-reason-hint = What stands in the way, so that somebody else understands it.
exception-instead = What is done in its place
exception-instead-hint = For example: the device stays in the office, or holds nothing that is not public.
exception-until-hint = { $n ->
    [one] At most one day from now. It holds to the end of the day.
   *[other] At most { $n } days from now. It holds to the end of the day.
  }
exception-press = Ask for it
exception-headline = Exception: { $rule }
exception-nobody = There is nobody who may decide on this. Whoever gives roles has to name somebody.
exception-decides = It waits for a decision. One of these may decide: { $names }.
exception-holds = The rule counts as kept until { $time }. From that minute on it counts again.
exception-what = What is asked
exception-renews = Goes on from
exception-before = The exception before
exception-decide = Decide
exception-decide-lead = Whoever asked, and whoever it is for, read what you write. You may give less time than was asked.
exception-sooner = Until, if sooner
exception-sooner-hint = Leave it empty to give the time that was asked.
exception-words = Why so
exception-words-hint = At least a sentence.
exception-grant = Give the exception
exception-refuse = Do not give it
exception-more = More
exception-take-back = Take it back
exception-end-now = End it now
exception-go-on = Ask to go on with it
exception-means = What it means
exception-means-words = While it holds, the rule shows as excepted wherever it shows, and closes nothing. That it was asked, given and ended stands in the ledger; the reasons do not.
exception-say = Write at least a sentence.
exception-past = Choose a day to come.
exception-long = { $days ->
    [one] Choose a day within one day from now.
   *[other] Choose a day within { $days } days from now.
  }
exception-rule = Choose a rule about devices or people that is in force.
exception-device = Choose one of the person’s devices.
exception-waits = One for the same rule waits to be decided already.
exception-not-yours = This is for somebody else to decide.
exception-two = Nobody decides on an exception for themselves, or one that they asked for.
exception-decided = It has been decided already.
exception-over = It is over already.

cases-title = Cases
cases-lead = When a rule is not kept and its time is over, a case follows: you hear first, then what the rule costs is closed, then your manager hears, then somebody by name decides. Only people decide, and you are heard before they do.
cases-decide = Waits for your decision
cases-own = About you
cases-own-none = There is no case about you, and none was.
cases-others = Open, of others
cases-closed = Closed lately
case-whom = About
case-opened = Opened
case-goes-on = Goes on
case-state = State
case-mended-since = kept again meanwhile
case-headline = Not kept: { $rule }
case-told = The person was told
case-manager = The manager knows
case-decision = Waits for a decision
case-answer = Waits for an answer
case-answered = Answered, waits for a decision
case-decided = Decided, may be appealed
case-appeal = Appealed
case-track = How far it has come
case-step-told = Told
case-step-manager = Manager told
case-step-decision = Somebody decides
case-step-answer = A step is open
case-step-decided = Decided
case-step-closed = Closed
case-next-told = The person was told. Their manager hears on { $time }, unless the rule is kept by then.
case-next-told-own = Put it right and the case ends. If it is still so on { $time }, your manager hears of it.
case-next-manager = On { $time } somebody is asked to decide, unless the rule is kept by then.
case-next-manager-own = Your manager has been told. Put it right and the case ends; if it is still so on { $time }, somebody is asked to decide.
case-next-decision = Somebody by name decides whether a disciplinary step is opened.
case-next-decision-own = Somebody by name decides what follows. Put it right and the case ends; say what there is to say, and they read it.
case-next-answer = A disciplinary step is open. The person may answer until { $time }.
case-next-answer-own = A disciplinary step is open about you. Answer by { $time }; nothing is decided before.
case-next-answered = The person has been heard, or their time is over. Whoever opened the step decides.
case-next-answered-own = What you said is being read. Whoever opened the step decides, with reasons.
case-next-decided = It is decided. The person may appeal until { $time }.
case-next-decided-own = It is decided. You may appeal until { $time }; somebody else then looks at it again.
case-next-appeal = Somebody else looks at it again.
case-next-appeal-own = Somebody else looks at it again. It cannot become worse by that.
case-next-closed = The case is closed.
case-next-closed-own = The case is closed. What is kept of it, you see here.
case-mended-note = The rule is kept again. A step that was opened is ended by whoever opened it.
case-seen = What was seen
case-seen-why = As it was when the case was opened. It does not change, and the ledger holds its digest.
case-device = Device
case-read-at = Read
case-failing = Not kept since
case-time-over = Time was over
case-report = Sealed report
case-text = Text in force
case-events = What happened
case-event-opened = A case was opened, and the person told
case-event-limited = Closed meanwhile: { $tier }
case-event-manager = The manager was told
case-event-decision = Somebody was asked to decide
case-event-taken = Somebody took it over
case-event-answer = The person said
case-event-answer-over = The time to answer was over
case-event-step = A disciplinary step was opened
case-event-dismissed = No step was opened
case-event-no-sanction = Ended without a sanction
case-event-sanction = A sanction was chosen
case-event-appeal = The person appealed
case-event-upheld = The sanction stands
case-event-changed = A milder sanction took its place
case-event-lifted = The sanction was taken back
case-event-mended = Kept again, or gone
case-event-closed = Closed
case-outcome-mended = The rule is kept again
case-outcome-excepted = An exception was given
case-outcome-moot = The rule binds no more, or what it was about is gone
case-outcome-left = The person left
case-outcome-dismissed = No step was opened
case-outcome-no-sanction = No sanction
case-outcome-sanction = Sanction
case-outcome-upheld = Sanction, upheld on appeal
case-outcome-changed = Milder sanction on appeal
case-outcome-lifted = Sanction lifted on appeal
case-mend = Put it right
case-mend-lead = Most cases end here: keep the rule again and the case closes by itself, with word to everybody who knew.
case-answer-title = Say what there is to say
case-answer-lead = It is kept with the case, and whoever decides reads it.
case-answer-press = Send it
case-appeal-title = Appeal
case-appeal-lead = Say what should be seen differently. Somebody who has not decided before looks at everything again.
case-appeal-press = Appeal
case-your-words = Your words
case-words-hint = At least a sentence. It cannot be changed afterwards.
case-reasons = Your reasons
case-decide = Decide
case-decide-lead = Read what was seen and what was said. The person reads your reasons.
case-dismiss = Open no step, close it
case-open-step = Open a disciplinary step
case-sanction-which = Sanction
case-no-sanction = End it without a sanction
case-give-sanction = Choose this sanction
case-lift = Take the sanction back
case-change = Choose a milder one
case-uphold = Let it stand
case-take = Take it over
case-take-lead = When whoever is named cannot decide, or should not.
case-take-why = Why you take it over
case-take-press = Take it over
case-who = Who
case-decider = Decides
case-second = Decides on the appeal
case-sanction = Sanction
case-rights = The person may speak at any time, sees everything that is here, and may appeal what is decided. Nobody decides about themselves or about those they answer for.
case-say = Write at least a sentence.
case-over = The case is closed.
case-no-appeal = There is nothing to appeal, or the time for it is over.
case-not-yours = Somebody else is named to decide this.
case-not-for-you = You cannot decide this one: it is about you, about somebody you answer for, or you decided it before.
case-elsewhere = The case has moved on meanwhile. Look at it again.
case-decision-wrong = Choose what you decide.
case-sanction-wrong = Choose a sanction of the policy’s ladder.
case-milder = On appeal only a milder sanction can be chosen.

terms-title = Terms of your own
terms-title-of = Terms of their own
terms-lead = Rules that bind this person alone, besides those for everybody. They are judged like any other.
terms-none = No rule binds this person alone.
terms-which = Rule
terms-words = Why, or where it was agreed
terms-press = Bind
terms-end = Release
terms-since = since { $date }
terms-over = ended { $date }
term-rule = Choose a rule that is there for single persons.
term-say = Say why, or where it was agreed.
term-there = That rule binds this person already.
rule-named = This rule binds only those whose own terms name it.
rule-staged = Rolled out in steps
rule-staged-all = Everybody
rule-staged-from = from { $date }
rule-staged-now = from the beginning

notice-case = A case was opened, because this has not been put right in time: { $rule }. See what was seen, and what you can do.
notice-case-manager = Your manager has been told that this is still not put right: { $rule }.
notice-case-team = { $name } has not put this right in time: { $rule }. Talk to each other.
notice-case-decision = Somebody is asked to decide what follows: { $rule }. Say what there is to say.
notice-case-decide = A case about { $name } waits for your decision: { $rule }.
notice-case-step = A disciplinary step was opened about you: { $rule }. Read it and answer.
notice-case-decided = A case about you was decided: { $rule }. Read the reasons; you may appeal.
notice-case-mended = This is kept again, and stands so in the case: { $rule }.
notice-case-closed = A case about you was closed: { $rule }. See what came of it.
notice-case-over = A case about { $name } was closed: { $rule }.
notice-case-answer = Your time to answer a disciplinary step ends { $due }.
notice-case-appeal = Your time to appeal ends { $due }.
notice-exception-asked = An exception for { $name } waits for a decision: { $rule }.
notice-exception-for-you = An exception was asked for you: { $rule }.
notice-exception-granted = Your exception was given: { $rule }.
notice-exception-refused = Your exception was not given: { $rule }. Read why.
notice-exception-ended = Your exception has ended: { $rule }. The rule counts again.
notice-exception-withdrawn = Your exception was ended early: { $rule }. The rule counts again.
notice-exception-ends = An exception of yours ends { $due }.
notice-term-bound = A rule binds you by name now: { $rule }.
notice-term-released = A rule does not bind you by name any more: { $rule }.

event-case-answered = answered
event-case-appealed = appealed
event-case-closed = case closed
event-case-decided = case decided
event-case-decision = decision asked
event-case-manager = manager told
event-case-mended = kept again
event-case-opened = case opened
event-case-step = step opened
event-case-taken = case taken over
event-exception-asked = exception asked
event-exception-ended = exception ended
event-exception-granted = exception given
event-exception-refused = exception refused
event-exception-withdrawn = exception withdrawn
event-term-bound = term bound
event-term-released = term released
record-fairness-purpose = So that rules are kept fairly, and what binds you, what was let go and what was decided can be looked up.
record-fairness-kept = Until a year after you leave; then the words are erased.
state-wrong = There is no such state.
questions-lead = Short questions first. The answers stand in the policy; take your time.
question-wrong = That is not what the policy says. Read it once more and choose again.
question-open = Choose an answer.
question-read = It stands in: { $rule }
changed-exceptions = Exceptions
changed-cases = Cases
changed-questions = Questions
changed-rollout = Rolled out
changed-binds = Binds
reports-title = Reports
reports-lead = What can be shown to a board, an auditor or a works council: numbers, with pictures, and nobody by name.
reports-all = Every report
report-posture = How devices stand
report-posture-what = Standings by unit, and every rule with how many keep it.
report-posture-lead = { $n } of { $all } devices are in good standing.
report-confirmations = Whom the policy has reached
report-confirmations-what = How many have confirmed the text in force, by unit, and why others have not.
report-exceptions = Exceptions
report-exceptions-what = What is asked for and what holds, by rule, with its end.
report-exceptions-about = Whom an exception is for, and why it was given, stands on the exception, which opens for a purpose.
report-cases = Cases and equal treatment
report-cases-what = How cases of the last year ended, by unit, without pointing at anybody.
report-cases-lead = Cases opened in the last year: { $n }.
report-cases-about = Units with few people count with the one above them, and a number below { $n } is not shown, so that nobody can be picked out.
report-cases-open = Open
report-cases-mended = Put right, excepted or gone
report-cases-no-step = No step or no sanction
report-cases-sanction = Sanction
report-appealed = Appealed
report-outcomes = How they ended, and how long it took
report-outcome = Ended
report-took = On average
report-few = fewer than { $n }
report-about = about { $n }
report-month = A month in numbers
report-month-what = How devices stood day by day, what happened, which versions came into force.
report-month-lead = From { $from } to { $to }.
report-month-which = Month that begins on
report-month-devices = How devices stood
report-month-events = What happened
report-month-events-about = Entries of the ledger, by kind.
report-by-unit = By unit
report-by-rule = By rule
report-by-rule-about = The picture shows the fifteen rules that most do not keep; the table has all.
report-made = Made { $time } under { $pack }.
report-day = Day
report-event = What
report-times = How often
report-in-force = In force from
report-says = What changed
report-organisation = The organisation’s own rules
report-people = People
report-confirmed = Confirmed
report-missing = Missing
report-left = Left
report-id = Id
report-nothing = There is nothing to show.
oscal-lead = The policy with its controls, how it is kept, and what is open, as auditors’ tools read it (OSCAL 1.1.3). A rule whose facts nothing records yet is not satisfied, and says so.
pack-unsigned = The pack is signed by no key that is allowed here. It was refused, and that it came stands in the ledger.
pack-keys-title = Keys that sign packs
pack-keys-lead = A pack that comes from outside, with stead-server pack publish, is taken when one of these keys signed it. Whatever it says, somebody else still publishes it.
pack-key-add = Allow a key
pack-key-name = Whose it is
pack-key-key = Public key
pack-key-hint = What stead-server pack key FILE says.
pack-key-press = Allow it
pack-key-end = Take back
pack-key-wrong = That is no public key. Copy what stead-server pack key FILE says.
pack-key-there = That key is allowed already.
pack-key-many = Twenty keys are allowed. Take one back first.
event-policy-refused = pack refused
event-policy-key-allowed = key allowed
event-policy-key-removed = key taken back
foot-stale = its review is overdue
reach-bounced = Could not be reached by mail
policy-unit = There is no unit { $unit } to roll rules out to.
term-own = Somebody else writes and ends your terms.

## Drafts: the next version, file by file

draft-title = Draft
draft-headline = Draft: { $pack }
draft-of = Draft that { $name } began
draft-by = Begun by { $name } on { $time }. Changed last by { $by } on { $changed }.
draft-begin = Begin a draft
draft-begin-about = Of the version published last, with the next number. Nothing applies until two people publish it.
draft-behind = Another version was published since this draft was begun. Catch up with it before you propose the draft, so that nothing of it is lost.
draft-catch-up = Catch up
draft-amiss = What keeps it from being published
draft-amiss-n = { $n ->
    [one] one thing to mend
   *[other] { $n } things to mend
  }
draft-sound = Sound
draft-sound-about = Every file can be read, and every rule passes its own tests.
draft-files = Its files
draft-beside = More files
draft-state = State
draft-changed = Changed
draft-new = New
draft-changes-later = Shown once every file can be read.
draft-propose = Propose it
draft-propose-lead = Somebody who wrote none of it lets it be published.
draft-rule-add = Add a rule
draft-rule-title = What it asks, as a title
draft-rule-title-hint = As in: Your screen locks itself
draft-rule-id = Its short name
draft-rule-id-hint = Small letters, digits and hyphens, as in screen-locks. It stays the same in every version.
draft-rule-about = What it is about
draft-rule-press = Add it
draft-rule-name = Write small letters, digits and hyphens, beginning with a letter or digit.
draft-rule-taken = There is a rule of this name.
draft-rule-subject = Choose what the rule is about.
draft-discard = Discard this draft
draft-discard-about = It is taken off the list; the ledger keeps that it was there.
draft-none = This draft is not open any more. It was proposed or discarded.
draft-path = A draft holds pack.toml, rules, tests and tables. Choose one of its files.
draft-long = A file may have up to 256 KiB here. Cut it into several.
draft-moved = Somebody else changed this meanwhile. What you wrote is still below: look at what changed, and save it again.
draft-stays = This file cannot be taken out: it is the pack's own description, or comes from the pack that this one builds on.
draft-here = In this file
draft-here-good = Nothing to mend
draft-line = Line { $n }
draft-elsewhere = In other files:
draft-preview = How it reads
draft-saved = Saved. Everybody who writes the policy sees it in the draft.
draft-save = Save
draft-save-mine = Save what is below
draft-as-saved = Back to what is saved
draft-met = Somebody else saved this file while you wrote
draft-met-about = Nothing is lost: theirs is saved, and yours is in the field below. Take over there what you want of theirs, then save.
draft-met-theirs = Saved by somebody else
draft-met-yours = Written by you
draft-differs = Beside the version in force
draft-in-force = In force
draft-earlier = What it said before
draft-taken-out = taken out
draft-remove = Take this file out
draft-remove-about = With a rule go its translations and tests.
catch-up-title = Catch up with the version published last
catch-up-lead = { $pack } was published since this draft was begun. What only it changed is taken over. Where both changed a file, you say what it is to be.
catch-up-taken = Taken over as they are
catch-up-both = Both changed this file: on the left what was published, on the right the draft.
catch-up-text = What it is to be
catch-up-hint = Empty takes the file out.
catch-up-press = Catch up
proposal-reopen = Make it a draft again

## What is to come

agenda-title = Calendar
agenda-lead = When each rule is looked through again, which versions come into force, and which rules begin to count.
agenda-nothing-late = No review is overdue
agenda-late-n = { $n ->
    [one] One review is overdue
   *[other] { $n } reviews are overdue
  }
agenda-overdue = Overdue
agenda-late = since { $date }
agenda-empty = Nothing is to come.
agenda-owners = Who answers for what
agenda-owner = { $n ->
    [one] One rule:
   *[other] { $n } rules:
  }
agenda-every = Every { $every }
agenda-review-rule = Review: { $rule }
agenda-review-whole = Review of all of { $pack }
agenda-review-last = { $owner }, every { $every }. Last on { $date }.
agenda-review-never = { $owner }, every { $every }. Not looked through since it is asked.
agenda-version = { $pack } comes into force
agenda-step = { $rule }: { $stage }
month-of = { $month } { $year }
review-what = What was looked through
review-whole = All of the policy
review-rule = There is no such rule in the version in force.
try-units-people = How people in the units would move
try-progress = { $n } of { $all } judged
try-waiting = Everything that was last reported is judged again. Nothing is changed by that. You can leave this page; the answer is kept for ten minutes.
try-look-again = Look again
try-wait = This is not finished yet. Wait for the page, then take the file.
event-policy-drafted = draft of the policy begun
event-policy-draft-changed = draft of the policy changed
event-policy-reopened = proposal made a draft again
proposal-moved = This proposal was changed after you opened it. Read it again, then decide.
proposal-behind = Another version was published since this was proposed, and this one does not know of it. Make it a draft again and catch up, or propose it anew.
texts-cut = Only the first lines that differ are shown.
draft-gone-title = This draft is not open any more
draft-gone = It was proposed or discarded while you wrote, so this was not saved. Your text is below: copy what you want to keep.

# The gate.
gate-this-computer = This computer
gate-no-device = This computer is not known to us
gate-no-device-lead = What you asked for opens on an enrolled computer alone. This is how yours becomes one.
gate-no-device-then = Leave the agent running, and come back here
gate-no-answer = This computer did not answer
gate-no-answer-lead = We asked which computer this is, and nothing answered. What you asked for opens on these:
gate-no-answer-if = If you sit at one of them, its agent may not be running. It is started with the computer; this shows how it is:
gate-ask-again = Ask again
gate-ticket = This way in was used before, has expired, or was begun in another browser. Open the application again.
gate-why-not-known = We cannot tell just now whether this is open to you
gate-next-not-known = It is our fault, and not about your computer. Look again in a minute.
gate-why-not-working = Your account opens nothing at present
gate-next-not-working = You are on leave, or your work here has ended. If that is not so, ask your telework coordinator.
gate-why-no-device = This computer is not enrolled any more
gate-next-no-device = Enrol it again with a new code from your telework coordinator.
gate-why-not-theirs = This computer is enrolled for somebody else
gate-next-not-theirs = Use your own, or have this one enrolled for you.
gate-why-revoked = “{ $device }” has been shut out
gate-next-revoked = It opens nothing any more. If that is a mistake, ask your telework coordinator.
gate-why-no-certificate = This connection did not show that it comes from “{ $device }”
gate-next-no-certificate = Run “stead certificate” on this computer and have your browser take what it makes, or use the browser that your organisation has set up. Your telework coordinator knows how.
gate-why-not-judged = “{ $device }” has not told us how it is
gate-next-not-judged = Start its agent, or look again: it says how it is within seconds.
gate-why-silent = “{ $device }” has not been heard since { $time }
gate-next-silent = Start its agent, or look again: it is heard within seconds.
gate-why-device-rule = Closed on “{ $device }” until this is done: { $asks }
gate-next-device-rule = You can mend it yourself, and it opens by itself as soon as you have.
gate-why-person-rule = Closed until this is done: { $asks }
gate-next-person-rule = It opens by itself as soon as you have done it.
glass-title = It is not known whether this is open to you
glass-lead = What we do not know keeps { $application } closed: your computer has not been heard, or we cannot look just now. Start its agent and look again; that needs nobody's word.
glass-break = Come in all the same
glass-break-lead = The policy names you as one of two people who may. It is written down with your name before you come in, security is told, and it ends after { $lasts }.
glass-why = Why now?
glass-outage = Something is down, and I mend it
glass-deadline = Something ends today that others need
glass-safety = Somebody's safety
glass-other = Something else, which I will explain
glass-in = Write it down and come in
glass-not-you = Only the two people whom the policy names come in so, on a computer that was known when they signed in, and not against anything that is known.
glass-reason-wanted = Say why, then come in.
gate-look-title = Mend it, then let us look again
gate-look-lead = It takes a few seconds. If all is well, you go straight on to { $application }.
gate-look = Look again
gate-found = What we found
gate-tier = What it takes
gate-other = Another way
gate-exception-why = Somebody decides, and it may open until a day that they name.
gate-help-title = Get help
gate-help = Ask { $names }.
gate-help-none = Ask your telework coordinator.
gate-also = Also
sign-in-on = You are signed in
sign-in-on-link = Go on to what you asked for

# Losses
menu-losses = Losses
loss-report = Report a loss
loss-practise = Practise reporting a loss
loss-practise-again = Practise again
loss-report-lead = Choose what it is and press. Everything it could open is shut at once. You can undo it when you have it again.
loss-report-for = For { $name }. Everything it could open is shut at once.
loss-practice-note = This is practice.
loss-practice-why = Nothing is shut, and nobody else is told. Do it once, so that it is easy when it counts.
loss-ask-what = What is gone?
loss-what = Choose what is gone; for a stick, papers or something else, say which.
loss-ask-label = Which one
loss-ask-label-hint = For a stick, papers or something else: a few words by which it is known.
loss-ask-how = What happened?
loss-lost = I cannot find it
loss-stolen = Somebody took it
loss-ask-noticed = When did you notice?
loss-noticed-now = Just now
loss-noticed-hour = Within the last hour
loss-noticed-today = Earlier today
loss-noticed-yesterday = Yesterday
loss-noticed-longer = Longer ago
loss-ask-words = Where and how
loss-ask-words-hint = If you know. Do not wait to write it: you can add it later.
loss-press = Shut it off now
loss-press-practice = Shut it off (practice)
loss-undo = You stay signed in here, and are signed out everywhere else.
loss-undo-practice = Nothing happens but that you see how long it took.
loss-call = Or call { $number }, day and night.
loss-code-lead = Type the code on your wallet card. It opens nothing but this.
loss-code = Code on the card
loss-code-hint = Eleven characters, such as 7K2MQ-9XD4R. Capitals do not matter.
loss-code-wrong = No card has this code. Look at it once more, or sign in.
loss-no-card = No card at hand?
loss-sign-in = Sign in instead
loss-shut = { $thing } is shut out
loss-practised = You have practised with { $thing }
loss-receipt-lead = Nothing of ours opens with it any more. Security has been told.
loss-receipt-thing = It is written down, and security has been told.
loss-next = Keep looking. When you have it again, leave it switched off until it is let in on its page: switched on, it locks itself and forgets its keys.
loss-next-stolen = Report it to the police as well, and keep their reference. If it comes back, leave it switched off until it is let in on its page.
loss-go-on-signed-in = Sign in for everything else
loss-number = Number
losses-title = Losses
losses-lead = What is gone is shut out first; everything else has its steps, its people and its clocks. Nobody is blamed for losing something.
losses-open = Open
losses-open-none = Nothing is lost at present.
losses-own = Yours
losses-own-none = Nothing of yours is lost, and nothing was.
losses-closed = Closed lately
loss-state-open = Lost
loss-state-found = Found, still shut out
loss-state-mistaken = False alarm
loss-state-back = Let in
loss-state-closed = Closed
loss-state-practice = Practice
loss-headline = { $thing } is lost
loss-headline-stolen = { $thing } was taken
loss-headline-of = { $thing }, of { $name }
loss-lead-practice = This was practice: nothing was shut, and nobody else was told.
loss-lead-open = { $n ->
    [0] Told as soon as it was noticed. Nothing of ours opens with it any more.
    [one] Told one minute after it was noticed. Nothing of ours opens with it any more.
   *[other] Told { $n } minutes after it was noticed. Nothing of ours opens with it any more.
}
loss-lead-open-own = Nothing of ours opens with it any more. Security has been told and takes it from here; what is left for you stands below.
loss-lead-found = It was found, and stays shut out until somebody has looked at it and lets it in.
loss-lead-found-own = Good that you have it. It stays shut out until security has looked at it and lets it in: leave it switched off until then.
loss-lead-mistaken = It was never gone. What could be opened again is open; sessions, tokens and the tunnel are begun anew.
loss-lead-mistaken-own = It was never gone. It works again; sign in anew where you were signed out, and make tokens anew.
loss-lead-back = It was looked at and let in again. Sessions, tokens and the tunnel are begun anew.
loss-lead-back-own = It was let in again. Sign in anew where you were signed out, and make tokens anew.
loss-lead-closed = Everything about it is done.
loss-lead-closed-own = Everything about it is done.
loss-practice = This is practice. Nothing follows from it.
loss-gone = They work here no more: their devices are shut out already.
loss-out-already = (shut out already)
loss-revoked = This device is shut out already.
loss-elsewhere = Somebody else was faster: look at the page again.
loss-closed = This loss is closed.
loss-not-yours = This is for somebody else to do.
loss-steps-open = Other steps are still open. Take them first; the last one closes it.
loss-found-open = Say first whether it is let in again.
loss-say = Write at least a sentence.
loss-risk-choose = Choose how likely it is.
loss-how-choose = Choose what is so.
loss-looked-at = Say what was looked at before it is let in.
loss-doors = Doors
loss-doors-none = This thing opens no door of ours.
loss-doors-shut = { $n } of { $of } shut
loss-doors-caption = Each door, how it is now, and when it was shut
loss-door = Door
loss-now = Now
loss-shut-at = Shut at
door-gate = Applications and check-ins
door-about-gate = It is not heard any more, and no application lets it in.
door-tunnel = Tunnel
door-about-tunnel = { $n ->
    [0] It had no key for a tunnel.
    [one] Its key was forgotten.
   *[other] Its { $n } keys were forgotten.
}
door-sessions = Sessions in browsers
door-about-sessions = { $n ->
    [0] There was no other.
    [one] One was ended.
   *[other] { $n } were ended.
}
door-tokens = Tokens of programs
door-about-tokens = { $n ->
    [0] There was none.
    [one] One was ended.
   *[other] { $n } were ended.
}
door-links = Links, codes and the calendar
door-about-links = { $n ->
    [0] None was waiting.
    [one] One was taken back.
   *[other] { $n } were taken back.
}
door-agent = The device itself
door-about-agent = If it is ever heard of, it locks itself and forgets its keys.
door-is-shut = Shut
door-is-waits = Waits to be heard
door-is-open = Open
door-is-back = Open again
loss-clocks = Clocks
loss-clocks-caption = Each step that has a time: by when, how much of it is used, and how it stands
loss-used = Time used
loss-due = Due
loss-clock-done = Done { $time }
loss-clock-left = Until { $time }
loss-steps = What is to be done
loss-step = Step
loss-step-by = For { $name }.
loss-step-done = { $name }, { $time }.
loss-step-take = Say that it is done
loss-step-words = What was done, with a reference where there is one
loss-step-why = What was decided, and why
loss-step-press = It is done
loss-passkeys = Your passkeys
loss-taker-you = you
loss-risk = Is somebody’s data at risk?
loss-risk-none = No: it was encrypted, or held nothing
loss-risk-unlikely = Unlikely
loss-risk-likely = Likely
loss-timeline = What happened
loss-in-ledger = In the ledger
loss-event-told = Reported
loss-event-again = Reported again: what was opened since is shut
loss-event-heard = The device was heard, and was told to lock itself and to forget its keys
loss-event-obeyed = The device locked itself and forgot its keys
loss-event-forgot = The device forgot its keys; it could not lock its screen
loss-event-found = Found
loss-event-mistaken = Said to be a false alarm
loss-event-let-in = Let in again
loss-event-note = Note
loss-event-step = Done: { $step }
loss-event-practised = { $n ->
    [one] It took you one second.
   *[other] It took you { $n } seconds.
}
loss-encrypted-title = Was it encrypted?
loss-encrypted-yes = Yes, every disk
loss-encrypted-no = No
loss-encrypted-unknown = It cannot be told
loss-encrypted = Encrypted
loss-disk = Disk
loss-disk-yes = Encrypted
loss-disk-no = Not encrypted
loss-disk-unknown = Cannot be told
loss-disk-how = How
loss-report-age = By the report that it sealed itself, received { $time }. When the loss was reported, that was { $ago }.
loss-back = You have it again?
loss-back-lead = Leave it switched off until it is let in: if it is heard before that, it locks itself and forgets its keys.
loss-back-thing = Say so, and what became of it.
loss-back-forgot = It has forgotten its keys. It is enrolled anew, with a code from your coordinator.
loss-back-words = Where it was, and what was looked at
loss-found = It was found
loss-mistaken = It was never gone
loss-let-in = Let it in again
loss-what-title = What was lost
loss-thing = Thing
loss-kind = Kind
loss-how = What happened
loss-whose = Whose
loss-noticed-at = Noticed
loss-told-at = Reported
loss-told-by = By
loss-way-page = On a page
loss-way-card = With the wallet card
loss-way-command = With stead lost
loss-state = Now
loss-note = Something else to write down
loss-note-words = What is worth knowing
thing-computer = Computer
thing-phone = Phone or tablet
thing-storage = Stick, disk or other media
thing-papers = Papers
thing-keys = Badge or keys
thing-other = Something else
loss-certificate-get = Certificate and timeline (PDF)
loss-certificate = Certificate of a loss: { $thing }
loss-certificate-lead = What was lost, when that was reported, that every door was shut, and what was done. Each line that the ledger proves can be checked without us.
loss-made = Made { $time }
loss-done = Done
loss-by = By
loss-said = In words
loss-when = When
loss-event = What
loss-entry = Entry
loss-digest = Digest of the entry
loss-proof = In the ledger
loss-proof-about = Checked with `stead-server ledger verify` and this checkpoint: { $checkpoint }
loss-card = Wallet card
loss-card-about = { $name } has a wallet card, made { $time }. If it is gone too, take it back: whoever finds it could cut their devices off.
card-title = Your wallet card
card-lead = With it you can report a loss from any phone, without signing in. It opens nothing, and shows no more than what your devices are called.
card-heading = Lost something of work?
card-step-open = On any phone, open
card-step-code = Type the code
card-step-press = Choose what is gone and press
card-qr = Opens the page with the code
card-once = Print it now, or write it down: the code is shown this once.
card-made = Made
card-used = Last used
card-make = Make a card
card-again = Make another card
card-end = Take it back
card-safe = Keep it apart from your laptop. Whoever finds it can cut your devices off, and nothing else; another card makes this one useless.
notice-card-ended = Your wallet card was taken back, as somebody who handles losses saw fit. Make another when you want one.
notice-card-made = A wallet card was made for you. One from before is no good any more.
notice-loss = { $device } was reported lost, and is shut out. If that is not so, undo it on its page.
notice-loss-of = { $device } of { $name } was reported lost, and is shut out.
notice-loss-heard = { $device } of { $name }, reported lost, was heard of, and was told to lock itself and to forget its keys.
notice-loss-obeyed = { $device } of { $name }, reported lost, has forgotten its keys.
notice-loss-found = { $device } of { $name } was found. It stays shut out until it is let in.
notice-loss-mistaken = { $device } of { $name } was never gone.
notice-loss-let-in = { $device } of { $name } was looked at, and is no longer lost.
notice-loss-closed = Everything about the loss of { $device } is done.
notice-loss-clock = { $device } is lost, and this is to be done by { $due }: { $rule }.
notice-loss-late = { $device } is lost, and this was to be done by { $due }: { $rule }.
event-loss-card-made = wallet card made
event-loss-closed = loss closed
event-loss-found = lost thing found
event-loss-heard = lost device heard
event-loss-let-in = lost device let in again
event-loss-mistaken = loss was a false alarm
event-loss-obeyed = lost device forgot its keys
event-loss-step = step of a loss done
event-loss-told = loss reported
event-loss-again = loss reported again
hears-losses = Losses
job-clocks = Watches the clocks of losses
record-losses-purpose = Shutting out what is gone, and doing what has to follow.
record-losses-kept = As long as you work here and a year after; then what it was called and what was said is erased.
home-lost = { $device } is reported lost
home-lost-step = { $device } is reported lost.
home-lost-headline = { $device } is reported lost, and shut out.
home-lost-lead = Nothing opens to you until it is back or another device of yours is known. What is left for you stands below.
home-lost-why = It is shut out. Its page says what is left to do.
person-lost = Report a loss for them
device-lost = This device is reported lost. Nothing of ours opens with it.
device-lost-see = See the loss
