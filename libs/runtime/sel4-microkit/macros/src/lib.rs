// SPDX-License-Identifier: BSD-2-Clause

//! `#[protection_domain]`. Use it through `sel4_microkit`, which documents it.

#![forbid(unsafe_code)]

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Makes the function the initialisation of the protection domain; see
/// `sel4_microkit::protection_domain`.
///
/// All it does is to find the function's name and hand it, with the arguments, to
/// `sel4_microkit::declare_protection_domain!`.
#[proc_macro_attribute]
pub fn protection_domain(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let Some(name) = function_name(&item) else {
        return error(
            "#[protection_domain] stands before a function that returns the PD's Handler",
        );
    };
    let mut declaration: TokenStream = "::sel4_microkit::declare_protection_domain!"
        .parse()
        .expect("a path is tokens");
    let mut inner: TokenStream = "init =".parse().expect("two tokens");
    inner.extend([name]);
    if !arguments.is_empty() {
        inner.extend(",".parse::<TokenStream>().expect("a comma is a token"));
        inner.extend(arguments);
    }
    declaration.extend([TokenTree::from(Group::new(Delimiter::Brace, inner))]);
    declaration.extend(item);
    declaration
}

/// The identifier after the first `fn` outside of brackets.
fn function_name(item: &TokenStream) -> Option<TokenTree> {
    let mut tokens = item.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(ident) if ident.to_string() == "fn"))?;
    tokens
        .next()
        .filter(|token| matches!(token, TokenTree::Ident(_)))
}

fn error(text: &str) -> TokenStream {
    format!("::core::compile_error!({text:?});")
        .parse()
        .expect("a macro call is tokens")
}
