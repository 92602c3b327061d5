//! Strings that must not be seen.
//!
//! The two types differ in name only, so that a session secret is never handed over where an e-mail is expected. They
//! compare nothing, print nothing and serialise nothing; whoever needs the text says `expose`, which is easy to find.

use zeroize::Zeroizing;

macro_rules! hidden {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            pub fn new(text: impl Into<String>) -> $name {
                $name(Zeroizing::new(text.into()))
            }

            /// The text itself. Never log it, never put it into an error.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }
    };
}

hidden!(
    /// An identity string or the value of an identifying field (JSON text).
    Personal
);
hidden!(
    /// A code, token or session secret.
    SecretText
);
