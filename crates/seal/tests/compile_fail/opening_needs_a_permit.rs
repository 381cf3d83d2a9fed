fn main() {
    let envelope = seal::Envelope::parse(&[]).unwrap();
    let place = seal::Place { shop: 1, subject: 1, kind: 0, record: 1, version: 1 };
    let _ = envelope.open(&(), &place, &[], |_| None, seal::Fields::of([0]));
}
