use super::*;
use proptest::prelude::*;

fn check(text: &str, printed: &str) {
    let expression = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(expression.to_string(), printed);
    assert_eq!(parse(printed).as_ref(), Ok(&expression), "{printed} parses back");
}

#[test]
fn reads_what_scripts_send() {
    check("$browser", r#"properties["$browser"]"#);
    check(r#"properties['a b'] == "x""#, r#"properties["a b"] == "x""#);
    check(
        r#"not defined (properties["city"]) AND properties["n"] in [1,-2]"#,
        r#"not defined(properties["city"]) and properties["n"] in [1, -2]"#,
    );
    check(r#"1 + 2 * 3 - 4 < 5 or false"#, "1 + 2 * 3 - 4 < 5 or false");
    check(
        r#"string(user["plan"], "none") != "pro""#,
        r#"string(user["plan"], "none") != "pro""#,
    );
    check(
        r#"properties["q"] = "say \"hi\" \\""#,
        r#"properties["q"] == "say \"hi\" \\""#,
    );
    check(
        r#"(behaviors["behavior_1743"] > 0) and (boolean(properties["$email"]) == true)"#,
        r#"behaviors["behavior_1743"] > 0 and boolean(properties["$email"]) == true"#,
    );
    check(
        r#"properties["[a] \"b\".c é $d"] Or TRUE"#,
        r#"properties["[a] \"b\".c é $d"] or true"#,
    );
}

/// Parentheses are printed where the reading order needs them, and nowhere else.
#[test]
fn prints_the_parentheses_that_matter() {
    for text in [
        "1 - (2 - 3) - 4",
        "1 - 2 - 3",
        "(1 + 2) * 3",
        "-(properties[\"a\"] * 2) * 3",
        "--properties[\"a\"] + 1",
        "not not true",
        "not (true and false) or not true and (false or true)",
        "(1 < 2) == (3 < 4)",
        "(not true) == false",
        "(\"a\" in properties[\"b\"]) in [true]",
        "floor(1 + 2) / (3 % -4)",
    ] {
        check(text, text);
    }
    check("((((1))))", "1");
    check("(1 < 2) and (2 < 3) and (3 < 4)", "1 < 2 and 2 < 3 and 3 < 4");
}

#[test]
fn reads_what_a_project_saved() {
    check("COHORT( 12 )", "cohort(12)");
    check(r#"computed['a b'] > 1"#, r#"computed["a b"] > 1"#);
    check(
        r#"lookup("plans", 'price', properties["plan"]) * 2"#,
        r#"lookup("plans", "price", properties["plan"]) * 2"#,
    );
    check(
        r#"group["company"] ["in\"dustry"]"#,
        r#"group["company"]["in\"dustry"]"#,
    );
    let fault = |text: &str| parse(text).expect_err(text).message;
    assert!(fault("cohort(1.5)").contains("number of a saved cohort"));
    assert!(fault("cohort(-1)").contains("number of a saved cohort"));
    assert!(fault("cohort()").contains("number of a saved cohort"));
    assert!(fault("cohort(1, 2)").contains("')'"));
    assert!(fault(r#"lookup("plans", 1)"#).contains("a column in quotes"));
    assert!(fault(r#"lookup("plans", "price")"#).contains("','"));
    assert!(fault(r#"group["company"]"#).contains("'['"));
    assert!(fault(r#"profile["company"]"#).contains("computed"));
}

#[test]
fn trees_and_texts_are_one_form() {
    for (tree, text) in [
        (r#"{"cohort": 12}"#, "cohort(12)"),
        (r#"{"computed": "m"}"#, r#"computed["m"]"#),
        (
            r#"{"lookup": {"table": "t", "column": "c", "key": {"property": {"name": "p"}}}}"#,
            r#"lookup("t", "c", properties["p"])"#,
        ),
        (
            r#"{"group": {"key": "company", "property": "x"}}"#,
            r#"group["company"]["x"]"#,
        ),
    ] {
        let of_tree: Expression = serde_json::from_str(tree).unwrap_or_else(|error| panic!("{tree}: {error}"));
        assert_eq!(of_tree.to_string(), text);
        assert_eq!(parse(text), Ok(of_tree));
    }
}

#[test]
fn quantifiers_become_what_they_mean() {
    check(
        r#"any(X, properties["tags"], X = "new")"#,
        r#"properties["tags"] == "new""#,
    );
    check(
        r#"true and any (x, user["tags"], "a" == x or x in ["b", 3])"#,
        r#"true and (user["tags"] == "a" or user["tags"] == "b" or user["tags"] == 3)"#,
    );
    check(
        r#"ALL(X, properties["tags"], X != "a" and not X in ["b"])"#,
        r#"not (properties["tags"] == "a" or properties["tags"] == "b")"#,
    );
    let fault = |text: &str| parse(text).expect_err(text).message;
    assert!(fault(r#"any(X, properties["a"], X > 1)"#).contains("any() can ask"));
    assert!(fault(r#"all(X, properties["a"], X == 1)"#).contains("all() can ask"));
    assert!(fault(r#"any(X, "a" + "b", X == 1)"#).contains("look at a property"));
    assert!(fault(r#"any(X, properties["a"], any(Y, properties["b"], X == Y))"#).contains("do not nest"));
    assert!(fault(r#"any(X, properties["a"], X == 1) and X == 1"#).contains("'X' is not a value"));
    assert!(fault(r#"any(X, properties["a"], X in [X])"#).contains("a list holds"));
}

/// The functions of Mixpanel's own user interface (contract X16).
#[test]
fn functions_of_elsewhere_are_refused_by_name() {
    for function in [
        "if",
        "ifs",
        "has_prefix",
        "has_suffix",
        "min",
        "max",
        "upper",
        "lower",
        "parse_url",
        "regex_extract",
        "regex_match",
        "regex_replace",
        "datedif",
        "today",
        "len",
        "left",
        "right",
        "mid",
        "split",
        "let",
        "filter",
        "map",
        "sum",
    ] {
        for text in [
            format!("{function}(properties[\"a\"], 1)"),
            format!("1 + {function} ()"),
        ] {
            let error = parse(&text).expect_err(&text);
            assert_eq!(
                error.message,
                format!("the function '{function}' is not supported"),
                "{text}"
            );
        }
    }
}

/// What is accepted within the limits prints as something that is accepted again, however deep or long.
#[test]
fn the_largest_texts_read_back() {
    let nested = |open: &str, close: &str, levels: usize| {
        format!("{}properties[\"x\"]{}", open.repeat(levels), close.repeat(levels))
    };
    let mut accepted = 0;
    for (open, close) in [
        ("not ", ""),
        ("-", ""),
        ("(", ")"),
        ("floor(", ")"),
        ("1 - (", ")"),
        ("not(-", ")"),
        ("(1<(", "))"),
    ] {
        for levels in 1..=70 {
            if let Ok(expression) = parse(&nested(open, close, levels)) {
                accepted += 1;
                let printed = expression.to_string();
                assert_eq!(parse_printed(&printed), Ok(expression), "{printed}");
            }
        }
    }
    assert!(accepted > 300, "{accepted}");
    let crowded = [
        format!("[{}0]", "0,".repeat(4_000)),
        format!("[{}1e15]", "1e15,".repeat(1_600)),
        format!("any(X, properties[\"{}\"], X in [1,2,3,4,5,6,7,8])", "p".repeat(1_000)),
    ];
    for text in crowded {
        let expression = parse(&text).expect(&text[..20]);
        let json = serde_json::to_string(&expression).expect("an expression is JSON");
        assert_eq!(
            serde_json::from_str::<Expression>(&json).expect(&text[..20]),
            expression
        );
    }
    let huge = format!(
        "any(X, properties[\"{}\"], X in [{}0])",
        "p".repeat(1_000),
        "0,".repeat(300)
    );
    assert!(parse(&huge).expect_err("grows").message.contains("too long"));
    let many = format!("any(X, properties[\"p\"], X in [{}0])", "0,".repeat(1_000));
    assert!(parse(&many).expect_err("grows").message.contains("too many literals"));
}

#[test]
fn long_chains_print_flat() {
    let text = vec!["defined(properties[\"x\"])"; 200].join(" and ");
    let expression = parse(&text).expect("a long chain parses");
    assert_eq!(parse(&expression.to_string()), Ok(expression));
    for operator in ["+", " or ", "*", " and "] {
        let chain = |operands: usize| vec!["1"; operands].join(operator);
        assert!(parse(&chain(HEIGHT_MAX)).is_ok());
        let fault = |text: &str| parse(text).expect_err("too high").message;
        assert!(fault(&chain(HEIGHT_MAX + 1)).contains("in a row"));
        assert!(fault(&format!("({}) {operator} {}", chain(300), chain(300))).contains("in a row"));
    }
}

#[test]
fn says_what_is_wrong_and_where() {
    let fault = |text: &str| parse(text).expect_err(text);
    assert_eq!(fault("1 +").at, 3);
    assert!(
        fault("upper(properties[\"x\"])")
            .message
            .contains("'upper' is not supported")
    );
    assert!(fault("browser == 1").message.contains("properties[\"browser\"]"));
    assert!(fault("\"open").message.contains("closing quote"));
    assert!(fault(&"(".repeat(200)).message.contains("nests deeper"));
    assert!(fault(&"not ".repeat(200)).message.contains("nests deeper"));
    assert!(fault(&"-".repeat(200)).message.contains("nests deeper"));
    assert!(fault(&"x".repeat(9000)).message.contains("longer"));
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        prop_oneof![
            Just(0.0),
            Just(-1.5),
            Just(1e300),
            -1e6..1e6f64,
            (-9e15..9e15f64).prop_map(f64::round)
        ]
        // A zero's sign is no part of a number here.
        .prop_map(|number| Value::Number(number + 0.0)),
        "\\PC{0,8}|[\"'\\\\\n\\]]{0,4}".prop_map(Value::String),
    ]
}

fn leaf() -> impl Strategy<Value = Expression> {
    let scope = prop_oneof![
        Just(Scope::Properties),
        Just(Scope::User),
        Just(Scope::Event),
        Just(Scope::Behaviors)
    ];
    prop_oneof![
        (scope, "\\PC{0,8}|[\"'\\\\\n\\[\\]]{0,4}").prop_map(|(scope, name)| Expression::Property { scope, name }),
        scalar().prop_map(Expression::Literal),
        prop::collection::vec(scalar(), 0..4).prop_map(|items| Expression::Literal(Value::List(items))),
        (0..1_u64 << 53).prop_map(Expression::Cohort),
        "\\PC{0,8}".prop_map(Expression::Computed),
        ("\\PC{0,4}", "[\"'\\\\]{0,4}").prop_map(|(key, property)| Expression::Group { key, property }),
    ]
}

/// Trees as the parser makes them: the negative of a literal number is a literal.
fn tree() -> impl Strategy<Value = Expression> {
    use BinaryOp::*;
    let op = prop::sample::select(vec![
        Or,
        And,
        Equal,
        NotEqual,
        Less,
        LessOrEqual,
        Greater,
        GreaterOrEqual,
        In,
        Add,
        Subtract,
        Multiply,
        Divide,
        Remainder,
    ]);
    let function = prop::sample::select(vec![
        Function::Defined,
        Function::Floor,
        Function::Round,
        Function::Ceil,
        Function::Boolean,
        Function::Number,
        Function::String,
        Function::Datetime,
    ]);
    leaf().prop_recursive(10, 64, 3, move |inner| {
        prop_oneof![
            4 => (op.clone(), inner.clone(), inner.clone()).prop_map(|(op, left, right)| binary(op, left, right)),
            1 => inner.clone().prop_map(|inner| Expression::Not(Box::new(inner))),
            1 => inner.clone().prop_map(|inner| match inner {
                Expression::Literal(Value::Number(number)) => Expression::Literal(Value::Number(0.0 - number)),
                inner => Expression::Negate(Box::new(inner)),
            }),
            1 => ("\\PC{0,4}", inner.clone()).prop_map(|(table, key)| Expression::Lookup {
                column: table.clone(),
                table,
                key: Box::new(key),
            }),
            2 => (function.clone(), inner.clone(), inner).prop_map(|(function, first, second)| Expression::Call {
                function,
                arguments: if function == Function::String { vec![first, second] } else { vec![first] },
            }),
        ]
    })
}

/// Pieces of the language in any order, which get further into the parser than random characters do.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "(",
            ")",
            "[",
            "]",
            ",",
            "==",
            "=",
            "!=",
            "<",
            "<=",
            ">",
            ">=",
            "+",
            "-",
            "*",
            "/",
            "%",
            "and",
            "OR",
            "not",
            "in",
            "defined",
            "string",
            "any",
            "all",
            "X",
            "true",
            "False",
            "properties",
            "user[\"a\"]",
            "event[\"$time\"]",
            "behaviors[\"b\"]",
            "properties['k']",
            "1",
            "-2.5e3",
            ".5",
            "\"t\"",
            "'u'",
            "[1,\"a\"]",
            "any(X,properties[\"l\"],X=1)",
            "cohort",
            "cohort(7)",
            "computed['c']",
            "lookup(\"t\",\"c\",",
            "group[\"g\"]",
            "['p']",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,3}",
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_panics_and_what_is_read_prints_back(
        text in prop_oneof!["\\PC{0,40}", "[a-z()\\[\\]\"'=<>+*/% 0-9.,-]{0,40}", pieces()]
    ) {
        if let Ok(expression) = parse(&text) {
            prop_assert_eq!(parse_printed(&expression.to_string()), Ok(expression));
        }
    }

    #[test]
    fn every_tree_prints_back(tree in tree()) {
        prop_assert_eq!(parse_printed(&tree.to_string()), Ok(tree));
    }
}
