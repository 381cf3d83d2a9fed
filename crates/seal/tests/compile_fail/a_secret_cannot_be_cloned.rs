fn main() {
    let secret = seal::Secret::new([0_u8; 32]);
    let _: seal::Secret<32> = secret.clone();
}
