//! What every provider can do and keeps, as `docs/conformance.md` says it does.

use std::{env, fs};

use futures::future::join_all;
use pg_adapter::{
    Capabilities, CashReceipts, OrderIds, Repeats,
    contract::{CASES, Case, Rig, Verdict},
};
use sandbox::{BootpaySwitches, KcpSwitches};

use crate::{bootpay::rig::BootpayRig, kcp::rig::KcpRig, portone::rig::PortOneRig, toss::rig::TossRig};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/conformance.md");
/// Set, the file is written instead of compared.
const WRITE: &str = "WRITE_CONFORMANCE";

const INTRODUCTION: &str = "\
# Conformance

What each payment provider's gateway promises, and what the conformance suite (`crates/pg-adapter/src/contract`) found when
it was run against the provider's sandbox. Written by `just conformance`; a test fails when it is not true any more.

# Capabilities

What a provider cannot do is declared, and billing does without it.

";

const LEGEND: &str = "
# Cases

`yes`: kept. `in part`: kept without what the capability in brackets would add. `not claimed`: nothing was asked, because the
provider does not claim the capability in brackets.
";

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "whoever looks into a failure wants the whole table")]
async fn every_provider_keeps_the_contract_as_the_table_says() {
    let toss = TossRig::start().await;
    let portone = PortOneRig::start().await;
    let kcp = KcpRig::start(KcpSwitches::default()).await;
    let bootpay = BootpayRig::start(BootpaySwitches::default()).await;
    let rigs: [&dyn Rig; 4] = [&toss, &portone, &kcp, &bootpay];
    let verdicts = join_all(rigs.map(judge)).await;

    let table = format!("{INTRODUCTION}{}{LEGEND}{}", capabilities(&rigs), cases(&rigs, &verdicts));
    println!("{table}");
    let broken = verdicts.iter().zip(rigs).flat_map(|(verdicts, rig)| {
        let of_rig = CASES.iter().zip(verdicts).filter(|(_, verdict)| verdict.is_none());
        of_rig.map(move |(case, _)| format!("{}: {}", rig.gateway().provider(), case.name))
    });
    assert_eq!(broken.collect::<Vec<_>>(), <[String; 0]>::default(), "promises were broken");
    if env::var_os(WRITE).is_some() {
        fs::write(FILE, table).unwrap();
    } else {
        let written = fs::read_to_string(FILE).unwrap_or_default();
        assert!(table == written, "docs/conformance.md is not what was found; run `just conformance`");
    }
}

async fn judge(rig: &dyn Rig) -> Vec<Option<Verdict>> {
    let mut verdicts = Vec::new();
    for case in CASES {
        verdicts.push(case.judge(rig).await);
    }
    verdicts
}

fn capabilities(rigs: &[&dyn Rig]) -> String {
    let mut table = heading("capability", rigs);
    let declared: Vec<_> = rigs.iter().map(|rig| described(rig.gateway().capabilities())).collect();
    for (index, (name, _)) in declared[0].iter().enumerate() {
        table += &row(&format!("`{name}`"), declared.iter().map(|of_one| of_one[index].1.clone()));
    }
    table
}

/// Taken apart field by field: a new capability does not compile until it is here.
fn described(capabilities: Capabilities) -> Vec<(&'static str, String)> {
    let Capabilities {
        finds_by_order,
        lists_transactions,
        lists_cancels,
        signs_webhooks,
        repeats_issue,
        repeats_charge,
        repeats_cancel,
        replays_refusals,
        full_cancel_after_partial,
        cancels_in_turn,
        order_ids: OrderIds { longest, symbols },
        cash_receipts,
    } = capabilities;
    let yes_or_no = |is_so: bool| if is_so { "yes" } else { "no" }.to_owned();
    let of_receipts = |of: &dyn Fn(CashReceipts) -> String| cash_receipts.map_or_else(|| "no".to_owned(), of);
    let alphabet = if symbols { "letters, digits, `-` and `_`" } else { "letters and digits" };
    vec![
        ("finds_by_order", yes_or_no(finds_by_order)),
        ("lists_transactions", yes_or_no(lists_transactions)),
        ("lists_cancels", yes_or_no(lists_cancels)),
        ("signs_webhooks", yes_or_no(signs_webhooks)),
        ("repeats_issue", yes_or_no(repeats_issue)),
        ("repeats_charge", how_long(repeats_charge)),
        ("repeats_cancel", how_long(repeats_cancel)),
        ("replays_refusals", yes_or_no(replays_refusals)),
        ("full_cancel_after_partial", yes_or_no(full_cancel_after_partial)),
        ("cancels_in_turn", yes_or_no(cancels_in_turn)),
        ("order_ids", format!("{alphabet}, at most {longest}")),
        ("cash_receipts", yes_or_no(cash_receipts.is_some())),
        ("cash_receipts.repeats", of_receipts(&|it| how_long(it.repeats))),
        ("cash_receipts.issues_for_the_rest", of_receipts(&|it| yes_or_no(it.issues_for_the_rest))),
        ("cash_receipts.cancels_parts", of_receipts(&|it| yes_or_no(it.cancels_parts))),
    ]
}

fn how_long(repeats: Repeats) -> String {
    match repeats {
        Repeats::Always => "always".to_owned(),
        Repeats::For(limit) => format!("for {} days", limit.num_days()),
        Repeats::Never => "never".to_owned(),
    }
}

fn cases(rigs: &[&dyn Rig], verdicts: &[Vec<Option<Verdict>>]) -> String {
    let mut text = String::new();
    for chapter in CASES.chunk_by(|one, next| one.chapter == next.chapter) {
        text.push('\n');
        text += &heading(chapter[0].chapter, rigs);
        for case in chapter {
            let index = CASES.iter().position(|other| std::ptr::eq(other, case)).unwrap();
            text += &row(&sentence(case), verdicts.iter().map(|of_one| found(of_one[index].as_ref())));
        }
    }
    text
}

fn sentence(case: &Case) -> String {
    case.name.replace('_', " ")
}

fn found(verdict: Option<&Verdict>) -> String {
    match verdict {
        None => "**broken**".to_owned(),
        Some(Verdict::Kept) => "yes".to_owned(),
        Some(Verdict::InPart(without)) => format!("in part (`{}`)", without.join("`, `")),
        Some(Verdict::NotClaimed(capability)) => format!("not claimed (`{capability}`)"),
    }
}

fn heading(first: &str, rigs: &[&dyn Rig]) -> String {
    let providers = rigs.iter().map(|rig| rig.gateway().provider().to_string());
    row(first, providers) + &row("---", rigs.iter().map(|_| "---".to_owned()))
}

fn row(first: &str, others: impl Iterator<Item = String>) -> String {
    let cells: Vec<_> = std::iter::once(first.to_owned()).chain(others).collect();
    format!("| {} |\n", cells.join(" | "))
}
