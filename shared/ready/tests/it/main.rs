//! The exchanges over real sockets.
