//! A corpus that the rules were not made from: formats as services describe them, filled by a
//! generator, in places where people write tokens down.
//!
//! It was written after the rules and measured once; the bounds in the test are what was measured.

use super::redact;
use super::unseen_templates::{
    ASSIGNED_TEMPLATES, HARMLESS, SPLIT_TEMPLATES, TOKEN_PLACES, TOKEN_TEMPLATES,
};

/// Random numbers that are the same in every run.
struct TestRandom(u64);

impl TestRandom {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap()
    }

    fn random_text(&mut self, class: char, length: usize) -> String {
        let set: &str = match class {
            'A' => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            'H' => "0123456789abcdef",
            'D' => "123456789",
            'U' => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-",
            'B' => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            'L' => "abcdefghijklmnopqrstuvwxyz0123456789",
            'X' => "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
            other => panic!("{other} is no class"),
        };
        let set: Vec<char> = set.chars().collect();
        (0..length).map(|_| set[self.next() % set.len()]).collect()
    }

    fn fill_template(&mut self, template: &str) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, behind)) = rest.split_once('{') {
            let (part, after) = behind.split_once('}').unwrap();
            let class = part.chars().next().unwrap();
            text.push_str(before);
            text.push_str(&self.random_text(class, part[1..].parse().unwrap()));
            rest = after;
        }
        (text + rest).replace('¦', "")
    }
}

#[test]
fn unseen_samples_are_classified_correctly() {
    let mut random = TestRandom(0x9E37_79B9_7F4A_7C15);
    let (mut hits, mut misses) = (0_u32, Vec::new());
    let mut expect = |text: String, secret: &str| {
        let clean = redact(&text);
        let survives = clean.text.contains(secret);
        if survives {
            misses.push(format!("{text}\n  -> {}", clean.text));
        } else {
            hits += 1;
        }
    };
    for (number, template) in TOKEN_TEMPLATES.iter().enumerate() {
        for turn in 0..2 {
            let token = random.fill_template(template);
            let place = TOKEN_PLACES[(number * 2 + turn * 7) % TOKEN_PLACES.len()];
            expect(place.replacen('#', &token, 1), &token);
        }
    }
    for (place, template) in ASSIGNED_TEMPLATES {
        let secret = random.fill_template(template);
        expect(place.replacen('#', &secret, 1), &secret);
    }
    for (place, template) in SPLIT_TEMPLATES {
        let secret = random.fill_template(template);
        let place = place.replace('¦', "").replace("{D}", "123456789012");
        expect(place.replacen('#', &secret, 1), &secret);
    }
    let mut alarms = Vec::new();
    for line in HARMLESS.lines() {
        // Braces without a class are meant literally.
        let is_template = line.contains("{H")
            || line.contains("{B")
            || line.contains("{U")
            || line.contains("{A")
            || line.contains("{D");
        let text = if is_template && !line.contains("${") {
            random.fill_template(line)
        } else {
            line.to_owned()
        };
        let clean = redact(&text);
        if !clean.findings.is_empty() {
            alarms.push(format!("{text}\n  -> {}", clean.text));
        }
    }
    let count = |list: &[String]| u32::try_from(list.len()).unwrap();
    let share = |part: u32, other: u32| f64::from(part) / f64::from(part + other);
    let (recall, precision) = (share(hits, count(&misses)), share(hits, count(&alarms)));
    println!(
        "recall {recall:.3}, precision {precision:.3}: {hits} found, {} missed, {} taken of {}",
        misses.len(),
        alarms.len(),
        HARMLESS.lines().count()
    );
    println!("missed:\n{}\ntaken:\n{}", misses.join("\n"), alarms.join("\n"));
    assert!(recall >= 0.95 && precision >= 0.97);
    assert!(HARMLESS.lines().count() >= 150 && hits + count(&misses) >= 120);
}
