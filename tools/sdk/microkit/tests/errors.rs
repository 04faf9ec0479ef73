// SPDX-License-Identifier: BSD-2-Clause
//! Every mistake in a description: where it is said to be, what it is said to be.

mod common;

use common::{Memory, settle};

/// A system with `extra` in its one PD; the PD starts in line 1, `extra` in line 2.
fn in_pd(extra: &str) -> String {
    format!(
        "<system><memory_region name=\"m\" size=\"0x1000\"/><protection_domain name=\"a\"><program_image path=\"a.elf\"/>\n{extra}\n<map mr=\"m\" vaddr=\"0x1000000\"/></protection_domain></system>"
    )
}

/// A system with `extra` beside its two PDs a (priority 1) and b (priority 2); `extra` stands in
/// line 2.
fn beside(extra: &str) -> String {
    let pd = |name, priority| {
        format!(
            "<protection_domain name=\"{name}\" priority=\"{priority}\"><program_image path=\"a.elf\"/></protection_domain>"
        )
    };
    format!("<system>{}{}\n{extra}\n</system>", pd("a", 1), pd("b", 2))
}

fn region(attributes: &str) -> String {
    format!(
        "<system>\n<memory_region {attributes}/>\n<protection_domain name=\"a\"><program_image path=\"a.elf\"/>{}</protection_domain></system>",
        if attributes.contains("name=\"r\"") {
            "<map mr=\"r\" vaddr=\"0x1000000\"/>"
        } else {
            ""
        }
    )
}

/// One of the problems printed is an error at this place that contains the text, followed by a
/// remedy.
fn expect(xml: &str, at: &str, text: &str) {
    let files = Memory::new()
        .with("big.bin", vec![1; 0x1001])
        .with("empty.bin", []);
    let (settled, printed) = settle(xml, &files);
    assert!(settled.is_none(), "accepted: {xml}");
    let wanted = format!("s.xml:{at}: error: ");
    let mut lines = printed.lines();
    let found = lines.any(|line| line.starts_with(&wanted) && line.contains(text));
    assert!(found, "{printed}wanted: {wanted}{text}\n{xml}");
    let help = lines.next().unwrap_or_default();
    assert!(help.starts_with("  help: ") && help.len() > 12, "{help}");
}

#[test]
fn xml_syntax() {
    expect(
        "<system>\n<a></b>\n</system>",
        "2:4",
        "expected 'a' tag, not 'b'",
    );
    expect(
        "<system>\n  <a x=1/></system>",
        "2:8",
        "not well-formed XML",
    );
    expect("<system>\n<a>", "2:4", "not well-formed XML");
    expect("", "1:1", "not well-formed XML");
    expect("<!-- only -->", "1:14", "not well-formed XML");
    expect("<sistem/>", "1:1", "root element is 'sistem'");
    expect(
        "<system>\n text</system>",
        "2:2",
        "unexpected text in element 'system'",
    );
    expect(
        "<system x=\"1\"/>",
        "1:9",
        "unknown attribute 'x' on element 'system'",
    );
    expect("<system/>", "1:1", "there is no protection domain");
}

#[test]
fn elements_and_attributes() {
    expect(
        &beside("<memory/>"),
        "2:1",
        "unknown element 'memory' in 'system'",
    );
    for known in ["virtual_machine", "domains", "io_address_space"] {
        expect(
            &beside(&format!("<{known}/>")),
            "2:1",
            "not supported by this SDK",
        );
    }
    expect(&in_pd("<ioport/>"), "2:1", "not supported by this SDK");
    expect(&in_pd("<cspace/>"), "2:1", "not supported by this SDK");
    expect(
        &in_pd("<mapp/>"),
        "2:1",
        "unknown element 'mapp' in 'protection_domain'",
    );
    expect(
        &in_pd("<map mr=\"m\" vaddr=\"0\"><x/></map>"),
        "2:23",
        "unknown element 'x' in 'map'",
    );
    expect(
        &in_pd("<map mr=\"m\" vaddr=\"0\" size=\"1\"/>"),
        "2:23",
        "unknown attribute 'size'",
    );
    expect(
        &in_pd("<map vaddr=\"0\"/>"),
        "2:1",
        "missing attribute 'mr'",
    );
    expect(
        &in_pd("<map mr=\"m\"/>"),
        "2:1",
        "missing attribute 'vaddr'",
    );
    expect(
        &in_pd("<setvar symbol=\"word\"/>"),
        "2:1",
        "missing attribute 'region_paddr'",
    );
    expect(
        &in_pd("<setvar region_paddr=\"m\"/>"),
        "2:1",
        "missing attribute 'symbol'",
    );
    expect(&in_pd("<irq id=\"1\"/>"), "2:1", "missing attribute 'irq'");
    expect(&in_pd("<irq irq=\"1\"/>"), "2:1", "missing attribute 'id'");
    expect(
        &in_pd("<irq id=\"1\" pin=\"2\" vector=\"3\"/>"),
        "2:1",
        "x86 interrupts",
    );
    expect(
        &in_pd("<program_image path=\"a.elf\"/>"),
        "2:1",
        "has a second program",
    );
    expect(
        "<system>\n<protection_domain name=\"a\"/></system>",
        "2:1",
        "'a' has no program",
    );
    expect(
        "<system>\n<protection_domain name=\"a\"><program_image/></protection_domain></system>",
        "2:29",
        "missing attribute 'path'",
    );
    expect(
        "<system>\n<protection_domain><program_image path=\"a.elf\"/></protection_domain></system>",
        "2:1",
        "missing attribute 'name'",
    );
}

#[test]
fn values() {
    let pd = |attributes: &str| {
        format!(
            "<system>\n<protection_domain name=\"a\" {attributes}><program_image path=\"a.elf\"/></protection_domain></system>"
        )
    };
    expect(&pd("priority=\"255\""), "2:1", "priority 255 is too high");
    expect(
        &pd("priority=\"x\""),
        "2:29",
        "priority=\"x\" is not a number",
    );
    expect(
        &pd("priority=\"0x1_0000_0000_0000_0000\""),
        "2:29",
        "is not a number: number too large",
    );
    expect(
        &pd("stack_size=\"0x1800\""),
        "2:29",
        "a stack of 0x1800 bytes is not possible",
    );
    expect(&pd("stack_size=\"0\""), "2:29", "not possible");
    expect(&pd("stack_size=\"0x1001000\""), "2:29", "not possible");
    expect(&pd("passive=\"yes\""), "2:29", "neither true nor false");
    expect(&pd("fpu=\"1\""), "2:29", "neither true nor false");
    expect(&pd("smc=\"true\""), "2:29", "SMC");
    expect(&pd("cpu=\"1\""), "2:29", "there is no cpu 1");
    expect(&pd("domain=\"d\""), "2:29", "scheduling domains");
    expect(
        &pd("budget=\"2000\" period=\"1000\""),
        "2:1",
        "longer than the period",
    );
    expect(&pd("id=\"1\""), "2:1", "belong to the children");
    expect(
        &in_pd("<irq irq=\"40\" id=\"62\"/>"),
        "2:15",
        "id=\"62\" is not a number from 0 to 61",
    );
    expect(
        &in_pd("<irq irq=\"40\" id=\"0x1\"/>"),
        "2:15",
        "not a number from 0 to 61",
    );
    expect(
        &in_pd("<irq irq=\"256\" id=\"1\"/>"),
        "2:6",
        "not a number from 0 to 255",
    );
    expect(
        &in_pd("<irq irq=\"27\" id=\"1\"/>"),
        "2:1",
        "the kernel's own",
    );
    expect(
        &in_pd("<irq irq=\"40\" id=\"1\" trigger=\"up\"/>"),
        "2:22",
        "neither level nor edge",
    );
    expect(
        &in_pd("<map mr=\"m\" vaddr=\"0\" perms=\"w\"/>"),
        "2:23",
        "does not allow to read",
    );
    expect(
        &in_pd("<map mr=\"m\" vaddr=\"0\" perms=\"rq\"/>"),
        "2:23",
        "none of r, w, x",
    );
    expect(
        &in_pd("<map mr=\"m\" vaddr=\"0\" cached=\"no\"/>"),
        "2:23",
        "neither true nor false",
    );
}

#[test]
fn names() {
    expect(
        &beside(
            "<protection_domain name=\"a\"><program_image path=\"a.elf\"/></protection_domain>",
        ),
        "2:20",
        "'a' exists already",
    );
    expect(
        &beside(
            "<protection_domain name=\"monitor\"><program_image path=\"a.elf\"/></protection_domain>",
        ),
        "2:20",
        "the name 'monitor' is taken",
    );
    expect(
        &beside(
            "<memory_region name=\"m\" size=\"0x1000\"/><memory_region name=\"m\" size=\"0x1000\"/>",
        ),
        "2:55",
        "'m' exists already",
    );
    expect(
        &in_pd("<map mr=\"n\" vaddr=\"0\"/>"),
        "2:6",
        "there is no memory region 'n'",
    );
    expect(
        &in_pd("<setvar symbol=\"word\" region_paddr=\"q\"/>"),
        "2:23",
        "there is no memory region 'q'",
    );
    expect(
        &beside("<channel><end pd=\"a\" id=\"1\"/><end pd=\"c\" id=\"1\"/></channel>"),
        "2:35",
        "there is no protection domain 'c'",
    );
    let many: String = (0..64).map(|n| format!("<protection_domain name=\"p{n}\"><program_image path=\"a.elf\"/></protection_domain>\n")).collect();
    expect(
        &format!("<system>\n{many}</system>"),
        "65:1",
        "there are more than 63 protection domains",
    );
}

#[test]
fn children() {
    let child = |attributes: &str| {
        in_pd(&format!(
            "<protection_domain name=\"c\" {attributes}><program_image path=\"a.elf\"/></protection_domain>"
        ))
    };
    expect(&child(""), "2:1", "missing attribute 'id'");
    expect(&child("id=\"62\""), "2:29", "child id 62 is too high");
    let two = "<protection_domain name=\"c\" id=\"1\"><program_image path=\"a.elf\"/></protection_domain><protection_domain name=\"d\" id=\"1\"><program_image path=\"a.elf\"/></protection_domain>";
    expect(&in_pd(two), "2:113", "child id 1 is taken by 'c'");
}

#[test]
fn channels() {
    let ends = |a: &str, b: &str| {
        beside(&format!(
            "<channel><end pd=\"a\" {a}/><end pd=\"b\" {b}/></channel>"
        ))
    };
    expect(
        &ends("id=\"1\" pp=\"true\"", "id=\"1\" pp=\"true\""),
        "2:1",
        "pp=\"true\" at both ends",
    );
    expect(
        &ends("id=\"1\"", "id=\"1\" pp=\"true\""),
        "2:30",
        "'b' (priority 2) cannot call 'a' (priority 1)",
    );
    expect(&ends("id=\"1\"", ""), "2:30", "missing attribute 'id'");
    expect(
        &ends("id=\"1\" notify=\"maybe\"", "id=\"1\""),
        "2:29",
        "neither true nor false",
    );
    expect(
        &ends("id=\"1\" x=\"1\"", "id=\"1\""),
        "2:29",
        "unknown attribute 'x'",
    );
    expect(
        &ends("id=\"-1\"", "id=\"1\""),
        "2:22",
        "not a number from 0 to 61",
    );
    expect(
        &beside("<channel><end pd=\"a\" id=\"1\"/></channel>"),
        "2:1",
        "this one 1",
    );
    expect(
        &beside(
            "<channel><end pd=\"a\" id=\"1\"/><end pd=\"b\" id=\"1\"/><end pd=\"b\" id=\"2\"/></channel>",
        ),
        "2:1",
        "this one 3",
    );
    expect(
        &beside("<channel><ent pd=\"a\" id=\"1\"/><end pd=\"b\" id=\"1\"/></channel>"),
        "2:1",
        "this one 1",
    );
    let twice = "<channel><end pd=\"a\" id=\"1\"/><end pd=\"b\" id=\"1\"/></channel>";
    expect(
        &beside(&format!("{twice}\n{twice}")),
        "3:10",
        "id 1 is used twice in 'a'",
    );
    expect(
        &in_pd("<irq irq=\"40\" id=\"1\"/><irq irq=\"41\" id=\"1\"/>"),
        "2:23",
        "id 1 is used twice in 'a'",
    );
    expect(
        &in_pd("<irq irq=\"40\" id=\"1\"/><irq irq=\"40\" id=\"2\"/>"),
        "2:23",
        "interrupt 40 has two owners",
    );
    let equal = "<system><protection_domain name=\"a\"><program_image path=\"a.elf\"/></protection_domain><protection_domain name=\"b\"><program_image path=\"a.elf\"/></protection_domain>\n<channel><end pd=\"a\" id=\"1\" pp=\"true\"/><end pd=\"b\" id=\"1\"/></channel></system>";
    expect(equal, "2:10", "(priority 0) cannot call");
}

#[test]
fn regions() {
    expect(
        &region("size=\"0x1000\""),
        "2:1",
        "missing attribute 'name'",
    );
    expect(&region("name=\"r\""), "2:1", "'r' has no size");
    expect(
        &region("name=\"r\" size=\"0\""),
        "2:1",
        "no multiple of its page size",
    );
    expect(
        &region("name=\"r\" size=\"0x1800\""),
        "2:1",
        "no multiple of its page size",
    );
    expect(
        &region("name=\"r\" size=\"0x1000\" page_size=\"0x200000\""),
        "2:1",
        "no multiple of its page size",
    );
    expect(
        &region("name=\"r\" size=\"0x1000\" page_size=\"0x2000\""),
        "2:1",
        "page size 0x2000 does not exist",
    );
    expect(
        &region("name=\"r\" size=\"0x1000\" phys_addr=\"0x9000100\""),
        "2:1",
        "not aligned",
    );
    expect(
        &region("name=\"r\" size=\"0x1000\" phys_addr=\"0x8000000\""),
        "2:1",
        "neither RAM nor a device",
    );
    expect(
        &region("name=\"r\" size=\"0x1000\" phys_addr=\"0x40000000\""),
        "2:1",
        "may collide with the kernel",
    );
    expect(
        &region("name=\"r\" size=\"0x1000\" phys_addr=\"0xfffffffffffff000\""),
        "2:1",
        "neither RAM nor a device",
    );
    expect(
        &region("name=\"r\" size=\"0x100000000\""),
        "2:1",
        "larger than the memory of the board",
    );
    expect(
        &region("name=\"r\" prefill_bootinfo=\"fdt\""),
        "2:25",
        "prefill_bootinfo is not supported",
    );
    expect(
        &region("name=\"r\" size=\"0x1000\" prefill_path=\"none.bin\""),
        "2:39",
        "in none of the search paths",
    );
    expect(
        &region("name=\"r\" size=\"0x1000\" prefill_path=\"empty.bin\""),
        "2:39",
        "is empty",
    );
    expect(
        &region("name=\"r\" size=\"0x1000\" prefill_path=\"big.bin\""),
        "2:39",
        "of 0x1001 bytes does not fit",
    );
    expect(
        &region("name=\"r\" size=\"0x1000\" phys_addr=\"0x9000000\" prefill_path=\"data.bin\""),
        "2:1",
        "cannot be prefilled",
    );
    expect(
        &beside(
            "<memory_region name=\"r\" size=\"0x2000\" phys_addr=\"0x9000000\"/>\n<memory_region name=\"q\" size=\"0x1000\" phys_addr=\"0x9001000\"/>",
        ),
        "3:1",
        "overlaps memory region 'r'",
    );
}

#[test]
fn maps() {
    expect(
        &in_pd("<map mr=\"m\" vaddr=\"0x100\"/>"),
        "2:1",
        "not aligned to the page size 0x1000",
    );
    expect(
        &in_pd("<map mr=\"m\" vaddr=\"0xffffffe000\"/>"),
        "2:1",
        "reaches into the stack",
    );
    expect(
        &in_pd("<map mr=\"m\" vaddr=\"0xffffffc000\"/>"),
        "2:1",
        "reaches into the stack",
    );
    expect(
        &in_pd("<map mr=\"m\" vaddr=\"0xfffffffffffff000\"/>"),
        "2:1",
        "reaches into the stack",
    );
    expect(
        &in_pd("<map mr=\"m\" vaddr=\"0x200000\"/>"),
        "2:1",
        "overlaps 'a.elf' at 0x200000..0x201000",
    );
    expect(
        &in_pd("<map mr=\"m\" vaddr=\"0x0\"/><map mr=\"m\" vaddr=\"0x0\"/>"),
        "2:26",
        "overlaps 'm' at 0x0..0x1000 in 'a'",
    );
    let large = "<system><memory_region name=\"m\" size=\"0x200000\" page_size=\"0x200000\"/><protection_domain name=\"a\"><program_image path=\"a.elf\"/>\n<map mr=\"m\" vaddr=\"0x1001000\"/></protection_domain></system>";
    expect(large, "2:1", "not aligned to the page size 0x200000");
}

#[test]
fn set_variables() {
    expect(
        &in_pd("<setvar symbol=\"nothing\" region_paddr=\"m\"/>"),
        "2:9",
        "'a.elf': there is no symbol 'nothing'",
    );
    expect(
        &in_pd("<setvar symbol=\"half\" region_paddr=\"m\"/>"),
        "2:9",
        "symbol 'half' has 4 bytes, not 8",
    );
    expect(
        &in_pd(
            "<setvar symbol=\"word\" region_paddr=\"m\"/><setvar symbol=\"word\" region_paddr=\"m\"/>",
        ),
        "2:49",
        "symbol 'word' is set twice",
    );
    expect(
        &in_pd("<map mr=\"m\" vaddr=\"0\" setvar_vaddr=\"word\" setvar_size=\"word\"/>"),
        "2:43",
        "symbol 'word' is set twice",
    );
    expect(
        &in_pd("<map mr=\"m\" vaddr=\"0\" setvar_prefill_size=\"word\"/>"),
        "2:23",
        "'m' is not prefilled",
    );
    expect(
        &in_pd("<irq irq=\"40\" id=\"1\" setvar_id=\"gone\"/>"),
        "2:22",
        "there is no symbol 'gone'",
    );
    let channel =
        "<channel><end pd=\"a\" id=\"1\" setvar_id=\"gone\"/><end pd=\"b\" id=\"1\"/></channel>";
    expect(&beside(channel), "2:29", "there is no symbol 'gone'");
}

#[test]
fn several_at_once_in_order_of_place() {
    let xml = "<system>\n<protection_domain name=\"a\" priority=\"300\" foo=\"1\"><program_image path=\"none.elf\"/>\n<map mr=\"x\" vaddr=\"1\"/></protection_domain>\n<oops/></system>";
    let (_, printed) = settle(xml, &Memory::new());
    let places: Vec<_> = printed
        .lines()
        .filter(|l| l.contains(": error: "))
        .map(|l| l.split(": error: ").next().unwrap_or_default())
        .collect();
    assert_eq!(
        places,
        [
            "s.xml:2:1",
            "s.xml:2:44",
            "s.xml:2:52",
            "s.xml:3:6",
            "s.xml:4:1"
        ]
    );
}

#[test]
fn a_near_miss_is_suggested() {
    let (_, printed) = settle(&in_pd("<map mr=\"M\" vaddr=\"0\"/>"), &Memory::new());
    assert!(printed.contains("did you mean 'm'?"), "{printed}");
}

#[test]
fn what_this_kernel_cannot_honour_is_accepted_with_a_remark() {
    let xml = "<system>\n<protection_domain name=\"a\" budget=\"10\" period=\"20\" passive=\"true\" fpu=\"false\" cpu=\"0\" smc=\"false\"><program_image path=\"a.elf\"/>\n<irq irq=\"40\" id=\"1\" trigger=\"edge\"/></protection_domain>\n<memory_region name=\"r\" size=\"4_096\"/></system>";
    let (settled, printed) = settle(xml, &Memory::new());
    assert!(settled.is_some(), "{printed}");
    let remarks: Vec<_> = printed
        .lines()
        .filter(|l| l.starts_with("s.xml:"))
        .collect();
    assert_eq!(remarks.len(), 6, "{printed}");
    for (line, start) in remarks.iter().zip([
        "s.xml:2:29: remark: budget",
        "s.xml:2:41: remark: period",
        "s.xml:2:53: remark: passive",
        "s.xml:2:68: remark: fpu",
        "s.xml:3:22: remark: this kernel cannot set the trigger mode",
        "s.xml:4:1: warning: memory region 'r' is mapped nowhere",
    ]) {
        assert!(line.starts_with(start), "{line}");
    }
}
