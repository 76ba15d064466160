//! What a secret is called.

use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)+) => {
        /// The kind of a secret. Where two readings of one place overlap, the earlier kind
        /// says more and is the one that is told.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum SecretKind {
            $($(#[$doc])* $name,)+
        }

        impl SecretKind {
            /// Every kind.
            pub const ALL: [Self; [$(Self::$name),+].len()] = [$(Self::$name),+];

            /// Returns the name, for a person.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

kinds! {
    /// A block in PEM, of OpenSSH or PGP.
    PrivateKey => "private key",
    /// The id of an access key, which names the account.
    AwsAccessKey => "AWS access key",
    /// The secret half of an access key.
    AwsSecretKey => "AWS secret key",
    /// Any token of GitHub.
    GitHub => "GitHub token",
    /// Any token of GitLab.
    GitLab => "GitLab token",
    /// A token of a bot, a user or an app.
    Slack => "Slack token",
    /// An address whoever knows it can post to.
    Webhook => "webhook address",
    /// A secret or restricted key, live or for tests.
    Stripe => "Stripe key",
    /// A key of an API, or the secret of a client.
    Google => "Google key",
    /// A key of a user, a project or a service account.
    OpenAi => "OpenAI key",
    /// A key of the API or of an administrator.
    Anthropic => "Anthropic key",
    /// A token to publish with.
    Npm => "npm token",
    /// A token to publish with.
    PyPi => "PyPI token",
    /// A key to send mail with.
    SendGrid => "SendGrid key",
    /// A key of the API.
    Twilio => "Twilio key",
    /// A token of a user.
    HuggingFace => "Hugging Face token",
    /// A token of a user or an app.
    DigitalOcean => "DigitalOcean token",
    /// A key of a storage account or a bus, or a signed address.
    Azure => "Azure key",
    /// A token of another service, known by its form.
    Service => "service token",
    /// A signed JSON web token.
    Jwt => "JSON web token",
    /// What follows `Bearer` in a header.
    Bearer => "bearer token",
    /// What follows `Basic` in a header: a name and its password.
    Basic => "basic credentials",
    /// The password in an address, or what a password's name is assigned.
    Password => "password",
    /// What another secret's name is assigned.
    Assigned => "assigned secret",
}

impl fmt::Display for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
