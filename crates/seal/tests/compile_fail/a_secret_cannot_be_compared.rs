fn main() {
    let (one, other) = (seal::Secret::new([1; 32]), seal::Secret::new([1; 32]));
    let _ = one == other;
}
