// SPDX-License-Identifier: BSD-2-Clause

use super::*;

const CONFIG: &str =
    r#"{"SEL4_ARCH": "aarch64", "KERNEL_MCS": true, "PRINTING": false, "EXPORT_PTMR_USER": true}"#;
const LABEL_NUMBERS: &str = r#"{"TCBReadRegisters": 2, "TCBWriteRegisters": 3, "TCBSuspend": 12, "TCBResume": 13, "IRQAckIRQ": 27}"#;
const TOP: &str = r#"{"vspace_user_top": 1099511627775}"#;

/// An SDK of three files in a folder of its own, removed at the end.
struct Sdk(Selection);

impl Sdk {
    fn new(name: &str, config: &str, labels: &str, top: &str) -> Self {
        let sdk = std::env::temp_dir().join(format!("sel4-abi-{name}-{}", std::process::id()));
        let selection = Selection {
            sdk,
            board: "b".into(),
            config: "c".into(),
        };
        for (path, text) in selection.files().iter().zip([config, labels, top]) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(selection)
    }

    fn read(&self) -> Result<Abi, AbiError> {
        Abi::read(&self.0)
    }

    fn message(&self) -> String {
        self.read().unwrap_err().to_string()
    }
}

impl Drop for Sdk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0.sdk);
    }
}

#[test]
fn a_complete_sdk_is_read() {
    let abi = Sdk::new("complete", CONFIG, LABEL_NUMBERS, TOP)
        .read()
        .unwrap();
    assert_eq!(
        abi,
        Abi {
            mcs: true,
            printing: false,
            timer_for_all: true,
            user_top: 0xff_ffff_ffff,
            labels: [2, 3, 12, 13, 27]
        }
    );
}

#[test]
fn a_kernel_that_does_not_know_mcs_has_none() {
    let sdk = Sdk::new(
        "classic",
        r#"{"SEL4_ARCH": "aarch64", "PRINTING": true}"#,
        LABEL_NUMBERS,
        TOP,
    );
    let abi = sdk.read().unwrap();
    assert!(!abi.mcs && abi.printing);
}

#[test]
fn variables_choose_and_have_defaults() {
    let only_sdk = |name: &str| (name == "MICROKIT_SDK").then(|| "/sdk".to_string());
    let chosen = Selection::from_vars(only_sdk).unwrap();
    assert_eq!(
        chosen.folder(),
        Path::new("/sdk/board/qemu_virt_aarch64/release")
    );
    let all = Selection::from_vars(|name| Some(name.to_lowercase())).unwrap();
    assert_eq!(
        all.folder(),
        Path::new("microkit_sdk/board/microkit_board/microkit_config")
    );
    let error = Selection::from_vars(|_| Some(String::new())).unwrap_err();
    assert!(matches!(error, AbiError::NoSdk(_)) && error.to_string().contains("make sdk"));
}

#[test]
fn a_missing_folder_is_named() {
    let sdk = Sdk::new("folders", CONFIG, LABEL_NUMBERS, TOP);
    let mut elsewhere = sdk.0.clone();
    elsewhere.config = "benchmark".into();
    let message = Abi::read(&elsewhere).unwrap_err().to_string();
    assert!(
        message.contains("b/benchmark") && message.contains("b/c"),
        "{message}"
    );

    elsewhere.sdk = sdk.0.sdk.join("nothing");
    let error = Abi::read(&elsewhere).unwrap_err();
    assert!(
        matches!(error, AbiError::NoSdk(_))
            && error.to_string().contains("nothing: no such folder"),
        "{error}"
    );

    elsewhere.sdk = sdk.0.folder();
    let message = Abi::read(&elsewhere).unwrap_err().to_string();
    assert!(message.contains("bin/ and board/"), "{message}");
}

#[test]
fn a_missing_or_broken_file_is_named() {
    let sdk = Sdk::new("files", CONFIG, LABEL_NUMBERS, TOP);
    for path in sdk.0.files() {
        let text = fs::read_to_string(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(
            sdk.message().contains(path.to_str().unwrap()),
            "{}",
            sdk.message()
        );
        fs::write(&path, "{").unwrap();
        assert!(
            sdk.message().contains(path.to_str().unwrap()),
            "{}",
            sdk.message()
        );
        fs::write(&path, text).unwrap();
    }
    sdk.read().unwrap();
}

#[test]
fn a_missing_or_odd_key_is_named() {
    let labels = LABEL_NUMBERS.replace("TCBSuspend", "TCBPause");
    assert!(
        Sdk::new("label", CONFIG, &labels, TOP)
            .message()
            .contains("\"TCBSuspend\" is missing")
    );
    let top = r#"{"vspace_user_top": "high"}"#;
    assert!(
        Sdk::new("top", CONFIG, LABEL_NUMBERS, top)
            .message()
            .contains("\"vspace_user_top\" is not a number")
    );
    let config = CONFIG.replace("aarch64", "x86_64");
    assert!(
        Sdk::new("arch", &config, LABEL_NUMBERS, TOP)
            .message()
            .contains("\"SEL4_ARCH\" is not")
    );
    let config = CONFIG.replace("true", "1");
    assert!(
        Sdk::new("flag", &config, LABEL_NUMBERS, TOP)
            .message()
            .contains("\"KERNEL_MCS\" is not true or false")
    );
}
