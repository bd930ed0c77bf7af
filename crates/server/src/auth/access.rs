//! Authorization: may this person do this to that? Decided by the Cedar policies in `policies/`, and by
//! nothing else. What no policy permits is refused.

use std::collections::{HashMap, HashSet};

use anyhow::{Context as _, anyhow};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression, Schema, ValidationMode, Validator,
};
use stead_model::{DeviceId, PersonId, Role, UnitId};
use stead_store::role::Grant;

use crate::flows::sign_in::token::Scope;

/// The policies, each with the name of its file.
const POLICIES: [(&str, &str); 2] = [
    ("own.cedar", include_str!("../../policies/own.cedar")),
    ("roles.cedar", include_str!("../../policies/roles.cedar")),
];
const SCHEMA: &str = include_str!("../../policies/stead.cedarschema");

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal in $scope:ident,)+) => {
        /// What can be asked for. The schema in `policies/` says on what.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $name,)+
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The word in the policies.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// What a token must be good for to do it.
            pub fn scope(self) -> Scope {
                match self { $(Self::$name => Scope::$scope,)+ }
            }
        }
    };
}

actions! {
    /// See one's own pages.
    OwnSee = "own-see" in Read,
    /// Change how one signs in, what one is told, how pages look.
    OwnChange = "own-change" in Own,
    /// Read the policy.
    RulesSee = "rules-see" in Read,
    /// Propose versions of the policy, let another's be published, write reviews down.
    PolicyWrite = "policy-write" in System,
    /// Ask for an exception from a rule for somebody.
    ExceptionAsk = "exception-ask" in Own,
    /// Read what was asked for in the way of exceptions.
    ExceptionSee = "exception-see" in Read,
    /// End an exception early, or take back that it was asked for.
    ExceptionEnd = "exception-end" in Own,
    /// Decide on exceptions, as far as the rule lets one.
    ExceptionDecide = "exception-decide" in People,
    /// Decide on exceptions to rules that prevent little harm.
    ExceptionDecideManager = "exception-decide-manager" in People,
    /// Decide on exceptions to rules that prevent some.
    ExceptionDecideCoordinator = "exception-decide-coordinator" in People,
    /// Decide on exceptions to rules that prevent much.
    ExceptionDecideSecurity = "exception-decide-security" in People,
    /// Read a case.
    CaseSee = "case-see" in Read,
    /// Answer in a case about oneself, and appeal.
    CaseAnswer = "case-answer" in Own,
    /// Decide cases.
    CaseDecide = "case-decide" in People,
    /// Tell that something of somebody's is lost, and take the steps about it that are theirs.
    LossTell = "loss-tell" in Own,
    /// Read what was done about a loss.
    LossSee = "loss-see" in Read,
    /// Take the steps about a loss, and let in again what was lost.
    LossHandle = "loss-handle" in Devices,
    /// Look for people, devices and rules, among those one may see.
    Search = "search" in Read,
    /// Open somebody's record.
    PersonSee = "person-see" in Read,
    /// Change somebody's record.
    PersonChange = "person-change" in People,
    /// Send somebody a link to join or to set up anew how they sign in.
    PersonInvite = "person-invite" in People,
    /// Give somebody a code with which to enrol a device.
    DeviceEnrol = "device-enrol" in Devices,
    /// Open a device's page.
    DeviceSee = "device-see" in Read,
    /// Read one entry of the ledger.
    EntrySee = "entry-see" in Read,
    /// Revoke a device.
    DeviceRevoke = "device-revoke" in Devices,
    /// List the people of a unit.
    PeopleList = "people-list" in Read,
    /// Add somebody to a unit.
    PeopleAdd = "people-add" in People,
    /// Bring people in from a file.
    PeopleImport = "people-import" in People,
    /// See how the people of a unit stand.
    TeamSee = "team-see" in Read,
    /// Confirm once a month that a team is as it should be.
    TeamAttest = "team-attest" in Teams,
    /// See the tree of units.
    UnitsSee = "units-see" in Read,
    /// Change the tree of units.
    UnitsChange = "units-change" in Units,
    /// Give and take back roles.
    RolesGive = "roles-give" in Roles,
    /// See how all devices stand.
    OverviewSee = "overview-see" in Read,
    /// List all devices.
    DevicesList = "devices-list" in Read,
    /// See who does not keep a rule.
    FindingsList = "findings-list" in Read,
    /// Read the ledger's entries.
    LedgerSee = "ledger-see" in Read,
    /// See how the installation is.
    SystemSee = "system-see" in Read,
    /// Change how the installation is.
    SystemChange = "system-change" in System,
}

/// Somebody who asks, with the roles that they hold and may use now.
#[derive(Clone, Debug)]
pub struct Asker {
    /// Them.
    pub person: PersonId,
    /// Their roles.
    pub grants: Vec<Grant>,
}

impl Asker {
    /// Whether they hold a role, for any unit.
    pub fn holds(&self, role: Role) -> bool {
        self.grants.iter().any(|grant| grant.role == role)
    }
}

/// Where somebody stands in the organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Their unit and all above it.
    pub units: Vec<UnitId>,
    /// Who answers for them by name.
    pub manager: Option<PersonId>,
    /// Whether they can do more to others than anybody can (`Store::is_trusted`).
    pub trusted: bool,
}

/// What somebody asks to do something to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A unit, with all above it; the first is itself.
    Unit(Vec<UnitId>),
    /// A person.
    Person(PersonId, Place),
    /// A device and the person it belongs to.
    Device(DeviceId, PersonId, Place),
}

impl Object {
    /// The organisation as a whole.
    pub fn organisation() -> Self {
        Self::Unit(vec![UnitId::ORGANISATION])
    }

    /// The person whose record this is part of.
    pub fn person(&self) -> Option<PersonId> {
        match self {
            Self::Unit(_) => None,
            Self::Person(person, _) | Self::Device(_, person, _) => Some(*person),
        }
    }
}

/// Names of types, made once.
struct Types {
    action: EntityTypeName,
    device: EntityTypeName,
    person: EntityTypeName,
    team: EntityTypeName,
    unit: EntityTypeName,
}

/// The policies, checked against their schema.
pub struct Access {
    authorizer: Authorizer,
    policies: PolicySet,
    types: Types,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Access({} policies)", self.policies.num_of_policies())
    }
}

impl Access {
    /// Reads the policies and checks them against the schema.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn load() -> anyhow::Result<Self> {
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).context("the schema cannot be read")?;
        let mut policies = PolicySet::new();
        for (file, text) in POLICIES {
            let some: PolicySet = text.parse().with_context(|| format!("{file} cannot be read"))?;
            for policy in some.policies() {
                let id = policy
                    .annotation("id")
                    .ok_or_else(|| anyhow!("{file}: a policy has no @id"))?
                    .parse()
                    .map_err(|e| anyhow!("{file}: {e}"))?;
                policies.add(policy.new_id(id)).with_context(|| format!("{file} has an @id twice"))?;
            }
        }
        let checked = Validator::new(schema).validate(&policies, ValidationMode::Strict);
        let wrong: Vec<String> = checked
            .validation_errors()
            .map(ToString::to_string)
            .chain(checked.validation_warnings().map(ToString::to_string))
            .collect();
        anyhow::ensure!(wrong.is_empty(), "the policies do not fit their schema:\n{}", wrong.join("\n"));
        let name = |name: &str| name.parse::<EntityTypeName>().map_err(|e| anyhow!("{name}: {e}"));
        let types = Types {
            action: name("Action")?,
            device: name("Device")?,
            person: name("Person")?,
            team: name("Team")?,
            unit: name("Unit")?,
        };
        Ok(Self { authorizer: Authorizer::new(), policies, types })
    }

    /// Whether somebody may do this. An error in a policy is a refusal, and is logged.
    pub fn may(&self, asker: &Asker, action: Action, object: &Object) -> bool {
        match self.decide(asker, action, object) {
            Ok(allowed) => allowed,
            Err(error) => {
                tracing::error!(%error, action = action.word(), "authorization could not be decided");
                false
            }
        }
    }

    fn decide(&self, asker: &Asker, action: Action, object: &Object) -> anyhow::Result<bool> {
        let principal = uid(&self.types.person, asker.person);
        let mut entities = HashMap::new();
        let resource = self.resource(&mut entities, object)?;
        self.principal(&mut entities, asker)?;
        let entities = Entities::from_entities(entities.into_values(), None)?;
        let action =
            EntityUid::from_type_name_and_id(self.types.action.clone(), EntityId::new(action.word()));
        let request = Request::new(principal, action, resource, Context::empty(), None)?;
        let response = self.authorizer.is_authorized(&request, &self.policies, &entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(anyhow!("{error}"));
        }
        Ok(response.decision() == Decision::Allow)
    }

    /// The object and everything that it is in.
    fn resource(
        &self,
        entities: &mut HashMap<EntityUid, Entity>,
        object: &Object,
    ) -> anyhow::Result<EntityUid> {
        Ok(match object {
            Object::Unit(units) => {
                self.units(entities, units);
                let unit = units.first().ok_or_else(|| anyhow!("a unit without itself"))?;
                uid(&self.types.unit, unit)
            }
            Object::Person(person, place) => self.person(entities, *person, place)?,
            Object::Device(device, person, place) => {
                let person = self.person(entities, *person, place)?;
                let device = uid(&self.types.device, device);
                let entity = Entity::new_no_attrs(device.clone(), HashSet::from([person]));
                entities.insert(device.clone(), entity);
                device
            }
        })
    }

    fn person(
        &self,
        entities: &mut HashMap<EntityUid, Entity>,
        person: PersonId,
        place: &Place,
    ) -> anyhow::Result<EntityUid> {
        self.units(entities, &place.units);
        let unit = place.units.first().map(|unit| uid(&self.types.unit, unit));
        let team = place.manager.map(|manager| uid(&self.types.team, manager));
        let parents = unit.into_iter().chain(team).collect();
        let entity = self.person_entity(&Asker { person, grants: Vec::new() }, place.trusted, parents)?;
        let id = entity.uid();
        entities.insert(id.clone(), entity);
        Ok(id)
    }

    fn units(&self, entities: &mut HashMap<EntityUid, Entity>, units: &[UnitId]) {
        for (place, unit) in units.iter().enumerate() {
            let above = units[place + 1..].iter().map(|above| uid(&self.types.unit, above)).collect();
            let id = uid(&self.types.unit, unit);
            entities.insert(id.clone(), Entity::new_no_attrs(id, above));
        }
    }

    /// The asker with their roles, over the entry that is there when they ask about themselves.
    fn principal(&self, entities: &mut HashMap<EntityUid, Entity>, asker: &Asker) -> anyhow::Result<()> {
        let id = uid(&self.types.person, asker.person);
        let parents = match entities.remove(&id) {
            Some(there) => there.into_inner().2,
            None => HashSet::new(),
        };
        entities.insert(id, self.person_entity(asker, !asker.grants.is_empty(), parents)?);
        Ok(())
    }

    fn person_entity(
        &self,
        asker: &Asker,
        trusted: bool,
        parents: HashSet<EntityUid>,
    ) -> anyhow::Result<Entity> {
        let units = |role: Role| {
            let held = asker.grants.iter().filter(move |grant| grant.role == role);
            RestrictedExpression::new_set(
                held.map(|grant| RestrictedExpression::new_entity_uid(uid(&self.types.unit, grant.unit))),
            )
        };
        let team = RestrictedExpression::new_entity_uid(uid(&self.types.team, asker.person));
        let attributes = Role::ALL
            .into_iter()
            .map(|role| (role.word().to_owned(), units(role)))
            .chain([
                ("team".to_owned(), team),
                ("trusted".to_owned(), RestrictedExpression::new_bool(trusted)),
            ])
            .collect();
        Ok(Entity::new(uid(&self.types.person, asker.person), attributes, parents)?)
    }
}

fn uid(kind: &EntityTypeName, id: impl ToString) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id.to_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use stead_model::Millis;

    use super::*;

    #[test]
    fn the_policies_fit_their_schema_and_know_every_action() {
        Access::load().unwrap();
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).unwrap();
        let known: BTreeSet<String> =
            schema.actions().map(|action| AsRef::<str>::as_ref(action.id()).to_owned()).collect();
        let asked: BTreeSet<String> = Action::ALL.iter().map(|action| action.word().to_owned()).collect();
        assert_eq!(known, asked);
    }

    #[test]
    fn a_team_by_name_reaches_across_units() {
        let access = Access::load().unwrap();
        let person = |n| PersonId::from_parts(Millis(1), [n; 10]);
        let unit = |n| UnitId::from_parts(Millis(1), [n; 10]);
        let place =
            Place { units: vec![unit(1), UnitId::ORGANISATION], manager: Some(person(9)), trusted: false };
        let object = Object::Person(person(1), place);
        let asker = |n| Asker { person: person(n), grants: Vec::new() };
        assert!(access.may(&asker(9), Action::PersonSee, &object));
        assert!(!access.may(&asker(8), Action::PersonSee, &object));
        assert!(!access.may(&asker(9), Action::PersonChange, &object));
        assert!(access.may(&asker(1), Action::PersonSee, &object), "one's own");
    }
}
