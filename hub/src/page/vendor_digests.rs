//! What others wrote of the page: where it is from, and that it is unchanged.

/// A file of somebody else.
pub(super) struct VendorFile {
    pub(super) path: &'static str,
    pub(super) sha256: &'static str,
}

/// Every file below `assets/vendor`.
pub(super) const VENDOR_DIGESTS: &[VendorFile] = &[
    // The licence of htm (Apache-2.0), `LICENSE` of npm's `htm@3.1.1`.
    VendorFile {
        path: "vendor/htm-LICENSE.txt",
        sha256: "740725f7252e750af735d0028cc534970772f513331e9f68150fede8fb3ce00f",
    },
    // Htm with Preact, `preact/standalone.module.js` of npm's `htm@3.1.1`, unchanged.
    VendorFile {
        path: "vendor/htm-preact-3.1.1.js",
        sha256: "72284e8e9079c87817145df1110f74e8a2aa040b2fc384922e18dfcb46fc1fd7",
    },
    // The licence of Preact (MIT), `LICENSE` of npm's `preact@10.5.13`.
    VendorFile {
        path: "vendor/preact-LICENSE.txt",
        sha256: "1fe6958409c8c257a70c587a18b6f7f412b179b456630790d30b2ec9a8e4b7d4",
    },
];
