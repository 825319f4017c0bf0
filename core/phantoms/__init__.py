"""Simulated tissue with exact ground truth: an oracle for tests, samples to try, and pictures to pretrain on."""
