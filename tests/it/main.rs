//! One binary for all integration tests.

<<<<<<< HEAD
mod dsl;
mod files;
mod flows;
mod profiles;
mod run;
mod script;
=======
mod wsdl;
>>>>>>> mplus
