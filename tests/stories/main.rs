//! What dangol promises, told over HTTP. Each module is a chapter; each test name is a rule.

mod subscribing;
