fn look(key: &seal::DataKey) -> [u8; 32] {
    *key.secret()
}

fn main() {
    let _ = look;
}
