//! The kinds of secrets.

use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)+) => {
        /// The kind of a secret. The order is by how much a kind says: where two spans overlap, the
        /// earlier kind is reported.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum SecretKind {
            $($(#[$doc])* $name,)+
        }

        impl SecretKind {
            /// Every kind.
            pub const ALL: [Self; [$(Self::$name),+].len()] = [$(Self::$name),+];

            /// Returns the name, as it stands in a replacement.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

kinds! {
    /// A PEM block, or a private key of OpenSSH or PGP.
    PrivateKey => "private key",
    /// The id of an access key, which identifies the account.
    AwsAccessKey => "AWS access key",
    /// The secret half of an access key.
    AwsSecretKey => "AWS secret key",
    /// Any token of GitHub.
    GitHub => "GitHub token",
    /// Any token of GitLab.
    GitLab => "GitLab token",
    /// A token of a bot, a user or an app.
    Slack => "Slack token",
    /// A URL to which everybody who knows it can post.
    Webhook => "webhook address",
    /// A secret or restricted key, for production or tests.
    Stripe => "Stripe key",
    /// An API key, or the secret of an OAuth client.
    Google => "Google key",
    /// A key of a user, a project or a service account.
    OpenAi => "OpenAI key",
    /// A key of the API or of an administrator.
    Anthropic => "Anthropic key",
    /// A token that can publish packages.
    Npm => "npm token",
    /// A token that can publish packages.
    PyPi => "PyPI token",
    /// A key that can send mail.
    SendGrid => "SendGrid key",
    /// A key of the API.
    Twilio => "Twilio key",
    /// A token of a user.
    HuggingFace => "Hugging Face token",
    /// A token of a user or an app.
    DigitalOcean => "DigitalOcean token",
    /// A key of a storage account or a service bus, or a signed URL.
    Azure => "Azure key",
    /// A token of another service, recognized by its form.
    Service => "service token",
    /// A signed JSON web token.
    Jwt => "JSON web token",
    /// The token behind `Bearer` in a header.
    Bearer => "bearer token",
    /// The credentials behind `Basic` in a header: user name and password.
    Basic => "basic credentials",
    /// A password in a URL, or assigned to the name of a password.
    Password => "password",
    /// A value assigned to another name that announces a secret.
    Assigned => "assigned secret",
}

impl fmt::Display for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
