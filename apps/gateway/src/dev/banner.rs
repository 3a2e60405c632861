//! What a person sees after `cargo run`.

use identity::Identity;
use kernel::BusinessId;
use platform::{Membership, Principal, Role};
use secrecy::ExposeSecret;

use super::demo::BUSINESSES;
use crate::{app::App, config::Config};

#[expect(clippy::print_stdout, reason = "the banner is for people")]
pub(super) fn print(config: &Config, app: &App) {
    let api = format!("http://{}", config.http_addr);
    println!();
    println!("  단골 (dangol) is running");
    println!();
    println!("  API         {api}");
    println!("  Swagger UI  {api}/swagger-ui/");
    println!("  알림        {api}/dev/notifications");
    println!("  Sandbox     http://{}/_sandbox", config.sandbox_addr);
    println!("  Data        {}", config.data_dir.display());
    println!();
    println!("  Bearer tokens (business 1, {})", BUSINESSES[0].name);
    for role in [Role::Owner, Role::Manager, Role::Staff, Role::Customer] {
        println!("  {:<11} {}", format!("{role:?}").to_uppercase(), token(&app.identity, role));
    }
    let admin = Principal { subject: "admin".to_owned(), memberships: Vec::new(), is_platform_admin: true };
    println!("  {:<11} {}", "ADMIN", app.identity.dev_token(&admin));
    println!("  {:<11} {}", "CRON", app.billing.settings.cron_secret.expose_secret());
    println!();
    println!("  Ctrl-C stops everything.");
    println!();
}

fn token(identity: &Identity, role: Role) -> String {
    let memberships = vec![Membership { business_id: BusinessId(1), role }];
    let subject = format!("{role:?}_1").to_lowercase();
    identity.dev_token(&Principal { subject, memberships, is_platform_admin: false })
}
